/**
 * What readers get wrong in step 02.6: the log and the memtable in the wrong order.
 */
import type { StepMistake } from "../../support/four-way.ts";

const inMap = (from: string, to: string) => [{ file: "durable-map.ts", from, to }];

const COMMIT_AND_APPLY = `    await this.#wal.commit(payload);
    // Commits resolve in the order of the records, so the table gets them in the log's order.
    apply(this.#state, payload);
`;

/** Step 02.6. */
export const durableMistakes: readonly StepMistake[] = [
  {
    name: "the memtable first, then the log",
    step: "02.6",
    caughtBy: "what the log refuses is not in the map",
    rule: "M7",
    patches: inMap(
      COMMIT_AND_APPLY,
      "    apply(this.#state, payload);\n    await this.#wal.commit(payload);\n",
    ),
  },
  {
    name: "a change is acknowledged without a sync",
    step: "02.6",
    caughtBy: "acknowledged means that it survives power loss",
    rule: "M7",
    patches: inMap("await this.#wal.commit(payload);", "this.#wal.append(payload);"),
  },
  {
    name: "a refusal of the log is swallowed",
    step: "02.6",
    caughtBy: "what the log refuses is not in the map",
    rule: "M7",
    patches: inMap(
      "await this.#wal.commit(payload);",
      "await this.#wal.commit(payload).catch(() => {});",
    ),
  },
  {
    name: "a batch is one record for each change",
    step: "02.6",
    caughtBy: "a batch is there whole or not at all",
    rule: "M7",
    patches: inMap(
      "    await this.#wal.commit(payload);\n",
      "    for (const change of changes) await this.#wal.commit(encodeChanges([change]));\n",
    ),
  },
  {
    name: "replaying leaves deletions out",
    step: "02.6",
    caughtBy: "what was put, deleted and put again is there after reopening",
    rule: "M7",
    patches: inMap(
      "openWal(options, ({ payload }) => apply(state, payload));",
      `openWal(options, ({ payload }) => {
    const values = decodeChanges(payload).filter(({ value }) => value !== null);
    apply(state, encodeChanges(values));
  });`,
    ),
  },
  {
    name: "sequences begin at 1 again after reopening",
    step: "02.6",
    caughtBy: "a change after reopening wins over those before",
    rule: "M2",
    patches: inMap(
      "  return new LoggedMap(wal, state);",
      "  state.sequence = 0;\n  return new LoggedMap(wal, state);",
    ),
  },
  {
    name: "the memtable gets the caller's arrays after the await",
    step: "02.6",
    caughtBy: "the caller's buffers may be used again before the answer comes",
    rule: "M4",
    patches: inMap(
      "    apply(this.#state, payload);\n  }",
      "    apply(this.#state, encodeChanges(changes));\n  }",
    ),
  },
  {
    name: "the log is emptied once it is replayed",
    step: "02.6",
    caughtBy: "replaying twice is replaying once",
    rule: "M7",
    patches: inMap(
      "  return new LoggedMap(wal, state);",
      "  wal.truncateAfter(wal.firstLsn - 1);\n  return new LoggedMap(wal, state);",
    ),
  },
  {
    name: "only values are synced, deletions are not",
    step: "02.6",
    caughtBy: "acknowledged changes survive power cuts all along the way",
    rule: "M7",
    patches: inMap(
      "await this.#wal.commit(payload);",
      "if (changes.some(({ value }) => value !== null)) await this.#wal.commit(payload);\n    else this.#wal.append(payload);",
    ),
  },
  {
    name: "a scan shows what was deleted as empty",
    step: "02.6",
    caughtBy: "a scan gives each key once, and none that was deleted",
    rule: "M3",
    patches: inMap(
      "if (value !== null) yield { key, value };",
      "yield { key, value: value ?? new Uint8Array(0) };",
    ),
  },
  {
    name: "a scan shows older versions as well",
    step: "02.6",
    caughtBy: "a scan gives each key once, and none that was deleted",
    rule: "M3",
    patches: inMap("const NO_READER: Sequence = 0;", "const NO_READER: Sequence = 2 ** 53 - 1;"),
  },
];
