/**
 * The planted mistakes: each is a change to a copy of the key-value store's source.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import type { Patch } from "../../../support/plant.ts";

/** The checks that can catch a mistake: see `checks` in mistakes.test.ts. */
export type CheckName = "model" | "power cuts" | "damage" | "large answers";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  readonly caughtBy: CheckName;
  readonly patches: readonly Patch[];
}

const patch = (file: string, from: string, to: string): readonly Patch[] => [
  { file: `kv/${file}`, from, to },
];

export const mistakes: readonly Mistake[] = [
  {
    name: "the applied index is not in the commit of the effects",
    rule: "K4",
    caughtBy: "power cuts",
    patches: patch("machine.ts", "transaction.put(STATE_KEY, encodeState(state));", ""),
  },
  {
    name: "the applied index is committed behind the effects",
    rule: "K4",
    caughtBy: "power cuts",
    patches: [
      ...patch("machine.ts", "transaction.put(STATE_KEY, encodeState(state));", ""),
      ...patch(
        "machine.ts",
        "await transaction.commit();",
        `await transaction.commit();
        const index = this.#mvcc.begin();
        index.put(STATE_KEY, encodeState(state));
        await index.commit();`,
      ),
    ],
  },
  {
    name: "a repetition runs again",
    rule: "K1",
    caughtBy: "model",
    patches: patch("sessions.ts", "if (serial > row.serial)", "if (serial >= row.serial)"),
  },
  {
    name: "a command behind a later one runs",
    rule: "K1",
    caughtBy: "model",
    patches: patch("sessions.ts", "if (serial > row.serial)", "if (serial !== row.serial)"),
  },
  {
    name: "a command of a session that is not known runs",
    rule: "K1",
    caughtBy: "model",
    patches: patch(
      "apply.ts",
      `return encodeKvAnswer(refused("session-unknown"));`,
      "return encodeKvAnswer(run(target, transaction, moment.index));",
    ),
  },
  {
    name: "sessions are only in memory",
    rule: "K1",
    caughtBy: "model",
    patches: patch("machine.ts", "else transaction.put(key, encodeSession(row));", ""),
  },
  {
    name: "sessions that are gone come back with a restart",
    rule: "K1",
    caughtBy: "model",
    patches: patch(
      "machine.ts",
      "if (row === undefined) transaction.delete(key);",
      "if (row === undefined) continue;",
    ),
  },
  {
    name: "which session was used last is forgotten by a restart",
    rule: "K5",
    caughtBy: "model",
    patches: patch("sessions.ts", ".sort((a, b) => a.usedIndex - b.usedIndex)", ""),
  },
  {
    name: "the log's time goes back with a leader's clock",
    rule: "K5",
    caughtBy: "model",
    patches: patch(
      "machine.ts",
      "const timeMs = Math.max(entry.timeMs, state.logTimeMs);",
      "const timeMs = entry.timeMs;",
    ),
  },
  {
    name: "the log's time is not kept",
    rule: "K5",
    caughtBy: "model",
    patches: patch("layout.ts", "writer.u64(logTimeMs);", "writer.u64(logTimeMs * 0);"),
  },
  {
    name: "one condition that holds is enough",
    rule: "R8",
    caughtBy: "model",
    patches: patch("apply.ts", "body.conditions.every(", "body.conditions.some("),
  },
  {
    name: "a key that is not there has no unequal value",
    rule: "R8",
    caughtBy: "model",
    patches: patch("apply.ts", `return condition.is === "unequal";`, "return false;"),
  },
  {
    name: "a refused command leaves what it wrote",
    rule: "R8",
    caughtBy: "large answers",
    patches: patch("apply.ts", "transaction.rollbackTo(before);", ""),
  },
  {
    name: "a range that was cut says that it is whole",
    rule: "R8",
    caughtBy: "model",
    patches: patch(
      "view.ts",
      "if (keys.length === range.limit || bytes > bytesMax) return { keys, more: true };",
      "if (keys.length === range.limit || bytes > bytesMax) return { keys, more: false };",
    ),
  },
  {
    name: "a mark is answered before it is durable",
    rule: "K4",
    caughtBy: "model",
    patches: patch(
      "machine.ts",
      "await transaction.commit({ sync: true });",
      "await transaction.commit();",
    ),
  },
  {
    name: "a copy is said to be durable before it is",
    rule: "K4",
    caughtBy: "power cuts",
    patches: patch(
      "restore.ts",
      "await transaction.commit({ sync: true });",
      "await transaction.commit();",
    ),
  },
  {
    name: "a copy is written over the present state",
    rule: "K4",
    caughtBy: "power cuts",
    patches: patch(
      "restore.ts",
      "const generation = state.generation + 1;",
      "const { generation } = state;",
    ),
  },
  {
    name: "what an unfinished installation left shows in the next one",
    rule: "K4",
    caughtBy: "power cuts",
    patches: patch("machine.ts", "await removeOthers(mvcc, state.generation);", ""),
  },
  {
    name: "the copy goes before its rows are durable",
    rule: "K4",
    caughtBy: "power cuts",
    patches: [
      ...patch(
        "restore.ts",
        "    const header = checkCopy(",
        `    disk.unlink(path);
    disk.syncDir(directoryOf(path));
    const header = checkCopy(`,
      ),
      ...patch(
        "restore.ts",
        "  disk.unlink(path);\n  disk.syncDir(directoryOf(path));\n  await removeOthers",
        "  await removeOthers",
      ),
    ],
  },
  {
    name: "checksums of a copy are not compared",
    rule: "K4",
    caughtBy: "damage",
    patches: patch(
      "snapshot-codec.ts",
      `if (checksum !== getU32(block, 0)) throw invalid(path, at, "checksum mismatch");`,
      "",
    ),
  },
  {
    name: "a copy at another index is believed",
    rule: "K4",
    caughtBy: "damage",
    patches: patch("restore.ts", "if (header.appliedIndex !== index) {", "if (index < 0) {"),
  },
];
