/**
 * The planted mistakes: each is a change to a copy of the transactions' source, or the engine's.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import type { VersionLayout } from "#mvcc/types";
import type { StackPatch } from "../../support/plant.ts";

/** The checks that can catch a mistake: see `checks` in mistakes.test.ts. */
export type CheckName =
  | "histories"
  | "in flight"
  | "model"
  | "power cuts"
  | "the past"
  | "beside a collection"
  | "key order"
  | "compactions"
  | "a deletion below";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  readonly caughtBy: CheckName;
  /** The layout that has it. Default `timestamped`. */
  readonly layout?: VersionLayout;
  readonly patches: readonly StackPatch[];
}

const patch = (file: string, from: string, to: string): readonly StackPatch[] => [
  { file, from, to },
];
const below = (file: string, from: string, to: string): readonly StackPatch[] => [
  { module: "lsm", file, from, to },
];

export const mistakes: readonly Mistake[] = [
  {
    name: "a serializable commit does not look at what was read",
    rule: "T5",
    caughtBy: "histories",
    patches: patch("open-mvcc.ts", "reads === null ? undefined", "reads !== null ? undefined"),
  },
  {
    name: "ranges are not remembered, only keys",
    rule: "T5",
    caughtBy: "histories",
    patches: patch("read-set.ts", "this.#ranges.push(range);", ""),
  },
  {
    name: "a scan remembers the keys that it found, and not the gaps",
    rule: "T5",
    caughtBy: "histories",
    patches: [
      ...patch(
        "read-set.ts",
        "passed: (key) => grow(reverse ? key : textAfter(key)),",
        "passed: (key) => void this.#keys.add(key),",
      ),
      ...patch(
        "read-set.ts",
        "ended: () => grow(reverse ? from : before),",
        "ended: () => void grow,",
      ),
    ],
  },
  {
    name: "a scan downwards remembers the range upside down",
    rule: "T5",
    caughtBy: "histories",
    patches: patch("read-set.ts", "const start = reverse ? before : from;", "const start = from;"),
  },
  {
    name: "a key that was not there is not remembered",
    rule: "T5",
    caughtBy: "histories",
    patches: patch(
      "transaction.ts",
      "reads?.addKey(text);\n    }\n    return this.#host.store.get(key, this.readTimestamp);",
      "const found = this.#host.store.get(key, this.readTimestamp);\n      if (found !== undefined) reads?.addKey(text);\n      return found;\n    }\n    return this.#host.store.get(key, this.readTimestamp);",
    ),
  },
  {
    name: "written keys are not compared",
    rule: "T4",
    caughtBy: "model",
    patches: patch("open-mvcc.ts", "if (written !== undefined) {", "if (written === null) {"),
  },
  {
    name: "commits on their way to the disk are forgotten when nobody is open",
    rule: "T4",
    caughtBy: "in flight",
    patches: patch(
      "open-mvcc.ts",
      "this.#history.forget(oldest?.readTimestamp ?? visible);",
      "this.#history.forget(oldest?.readTimestamp ?? this.#parts.meta.last + 0 * visible);",
    ),
  },
  {
    name: "a commit at the timestamp that was read is a conflict",
    rule: "T4",
    caughtBy: "model",
    patches: patch(
      "commit-history.ts",
      "timestamp <= timestamp) from",
      "timestamp < timestamp) from",
    ),
  },
  {
    name: "a lookup reads the newest version",
    rule: "T1",
    caughtBy: "model",
    patches: patch(
      "timestamped-store.ts",
      "const end = this.#encode(key, at);",
      "const end = this.#encode(key, at + 1e6);",
    ),
  },
  {
    name: "a scan reads the newest versions",
    rule: "T1",
    caughtBy: "model",
    patches: patch(
      "timestamped-store.ts",
      "if (!isDecided && getInverted(key, end) <= this.#at) {",
      "if (!isDecided) {",
    ),
  },
  {
    name: "a lookup goes on with an iterator from before a commit",
    rule: "T1",
    caughtBy: "model",
    patches: patch(
      "timestamped-store.ts",
      "      this.#releaseIterator();\n      if (this.#batches",
      "      if (this.#batches",
    ),
  },
  {
    name: "own deletions are not seen in a scan",
    rule: "T1",
    caughtBy: "model",
    patches: patch(
      "transaction.ts",
      "if (value !== null) yield [bytesOf(key), value];",
      "yield [bytesOf(key), value ?? new Uint8Array(0)];",
    ),
  },
  {
    name: "a rollback leaves what was written first after the savepoint",
    rule: "T1",
    caughtBy: "model",
    patches: patch(
      "write-set.ts",
      "while (undo.length > mark) {",
      "while (undo.length > mark + 1) {",
    ),
  },
  {
    name: "key and timestamp stand one behind the other",
    rule: "T1",
    caughtBy: "key order",
    patches: patch("version-key.ts", "if (byte === 0) target[offset++] = ESCAPE;", ""),
  },
  {
    name: "later timestamps come last",
    rule: "T1",
    caughtBy: "key order",
    patches: patch(
      "version-key.ts",
      "putBigEndian(target, offset, TIMESTAMP_MAX - value);",
      "putBigEndian(target, offset, value);",
    ),
  },
  {
    name: "each key of a commit is a write of its own",
    rule: "T2",
    caughtBy: "power cuts",
    patches: patch(
      "timestamped-store.ts",
      "batch.put(this.#encodeText(key, timestamp), packed);",
      "batch.put(this.#encodeText(key, timestamp), packed);\n      this.#engine.writeSync(batch);\n      batch.clear();",
    ),
  },
  {
    name: "timestamps go on after the newest version",
    rule: "T3",
    caughtBy: "power cuts",
    patches: patch("meta.ts", "numberAt(engine, RESERVED) ?? 1;", "1;"),
  },
  {
    name: "a commit is acknowledged before it is written",
    rule: "T2",
    caughtBy: "power cuts",
    patches: patch(
      "open-mvcc.ts",
      "await this.store.apply(writes.values(), timestamp, options);",
      "void this.store.apply(writes.values(), timestamp, options).catch(() => undefined);",
    ),
  },
  {
    name: "the horizon does not wait for readers",
    rule: "T6",
    caughtBy: "compactions",
    patches: patch(
      "readers.ts",
      "return Math.min(this.floor(visible), this.oldest()?.readTimestamp ?? visible);",
      "return this.floor(visible);",
    ),
  },
  {
    name: "the horizon does not wait for who reads the past",
    rule: "T6",
    caughtBy: "the past",
    patches: patch(
      "readers.ts",
      "(isPast ? this.#past : this.#present).add(reader);",
      "if (!isPast) this.#present.add(reader);",
    ),
  },
  {
    name: "after a restart all of the past may be read",
    rule: "T6",
    caughtBy: "power cuts",
    patches: patch("meta.ts", "numberAt(engine, HORIZON) ?? 0", "0"),
  },
  {
    name: "the version at the horizon goes",
    rule: "T6",
    caughtBy: "compactions",
    patches: below(
      "superseded.ts",
      "    this.#isDecided = true;\n",
      "    this.#isDecided = true;\n    if (this.#horizon > 0) return true;\n",
    ),
  },
  {
    name: "everything below the newest version goes",
    rule: "T6",
    caughtBy: "compactions",
    patches: below(
      "superseded.ts",
      "if (timestampOf(key, groupBytes) > this.#horizon) return false;",
      "if (!this.#isDecided && timestampOf(key, groupBytes) > this.#horizon) return !(this.#isDecided = true);",
    ),
  },
  {
    name: "a deletion goes though a newer run holds what it hides",
    rule: "T6",
    caughtBy: "a deletion below",
    patches: below(
      "orders.ts",
      "const outside = outsideSpans(manifest.state.version, plan);",
      "void outsideSpans;\n  const outside = olderSpans(manifest.state.version, plan);",
    ),
  },
  {
    name: "versions of the next key are judged as those of the last one",
    rule: "T6",
    caughtBy: "compactions",
    patches: below("superseded.ts", "      this.#isDecided = false;\n", ""),
  },
  {
    name: "vacuum removes what has ended for some readers only",
    rule: "T6",
    caughtBy: "model",
    layout: "appended",
    patches: patch(
      "appended-store.ts",
      "if (end === NO_END || end > this.#horizon) continue;",
      "if (end === NO_END) continue;",
    ),
  },
  {
    name: "an update does not end the tuple before",
    rule: "T1",
    caughtBy: "model",
    layout: "appended",
    patches: patch("appended-store.ts", "if (tuple?.end === NO_END)", "if (tuple?.end === -1)"),
  },
  {
    name: "purge cuts the chain below the newest version",
    rule: "T6",
    caughtBy: "model",
    layout: "undo",
    patches: patch(
      "undo-store.ts",
      "while (stored.timestamp > this.#horizon) {",
      "while (stored.timestamp > 2 ** 52) {",
    ),
  },
  {
    name: "purge does not take turns with commits",
    rule: "T2",
    caughtBy: "beside a collection",
    layout: "undo",
    patches: [
      ...patch(
        "undo-store.ts",
        "await this.#turns.take(() => this.#purgeFrom(start));",
        "await this.#purgeFrom(start);",
      ),
      ...patch(
        "undo-store.ts",
        "await this.#engine.write(batch);\n    return next;",
        "for (let i = 0; i < 4; i += 1) await null;\n    await this.#engine.write(batch);\n    return next;",
      ),
    ],
  },
  {
    name: "an old reader takes the row as it is",
    rule: "T1",
    caughtBy: "model",
    layout: "undo",
    patches: patch(
      "undo-store.ts",
      "while (stored.timestamp > at) {",
      "while (stored.timestamp > at + 1e6) {",
    ),
  },
];
