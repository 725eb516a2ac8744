/**
 * Mistakes outside the core: in what drives it, in the log on disk, in the state machine.
 *
 * Those of module `simulation` are planted in the model of the driver, where every check watches;
 * the same mistakes in the real parts are noticed by what `real` or `directed` names.
 * Chapter: 11-simulation.
 */
import { indexAndDataTogether, sameEntriesSameState } from "./real-parts.ts";
import type { Mutant } from "./types.ts";

export const DRIVERS: readonly Mutant[] = [
  {
    number: 3,
    name: "term and vote are two writes, and the first of them counts for both",
    module: "simulation",
    patches: [
      {
        file: "process/node.ts",
        from: '    this.disk.pending.push({ kind: "record", seq, hardState, reset, truncateFrom, entries });',
        to: '    if (hardState !== undefined) {\n      const half = { term: hardState.term, vote: 0 };\n      const none = { reset: undefined, truncateFrom: undefined, entries: [] };\n      this.disk.pending.push({ kind: "record", seq, hardState: half, ...none });\n    }\n    this.disk.pending.push({ kind: "record", seq, hardState, reset, truncateFrom, entries });',
      },
    ],
    expected: ["L3", "G1"],
    search: { tier: "micro", seeds: 20 },
  },
  {
    number: 23,
    name: "the log forgets what the state machine has not made durable",
    module: "simulation",
    patches: [
      {
        file: "world/host.ts",
        from: "this.node.machine.durableIndex - keep",
        to: "this.node.machine.index - keep",
      },
      {
        file: "process/node.ts",
        from: "assert(upTo <= durableIndex,",
        to: "assert(upTo >= 0 || upTo <= durableIndex,",
      },
    ],
    expected: ["L4", "G4"],
    search: { tier: "standard", seeds: 20 },
  },
  {
    number: 24,
    name: "the applied index is kept outside of the transaction of the data",
    module: "simulation",
    patches: [
      {
        file: "process/machine.ts",
        from: "    for (const entry of survived) this.#run(entry);\n    this.#since = survived;",
        to: "    for (const entry of survived) this.#run(entry);\n    this.#index = this.#durable.index;\n    this.#since = [];",
      },
    ],
    expected: ["G8", "G4"],
    search: { tier: "micro", seeds: 50 },
  },
  {
    number: 27,
    name: "the error of a sync is ignored",
    module: "simulation",
    patches: [
      {
        file: "world/host.ts",
        from: "      this.failNextSync();\n      return;",
        to: "      this.failNextSync = undefined;\n      this.node.disk.lost = count;",
      },
      {
        file: "process/disk.ts",
        from: "  readonly pending: PendingWrite[] = [];",
        to: "  readonly pending: PendingWrite[] = [];\n  lost = 0;",
      },
      {
        file: "process/disk.ts",
        from: "    if (write === undefined) return undefined;\n",
        to: "    if (write === undefined) return undefined;\n    this.lost -= 1;\n    if (this.lost >= 0) return write;\n",
      },
    ],
    expected: ["L3"],
    search: { tier: "micro", seeds: 50 },
  },
  {
    number: 35,
    name: "what a command does depends on the node",
    module: "simulation",
    patches: [
      {
        file: "process/machine.ts",
        from: "mixHash(this.#digest, entry.chain)",
        to: "mixHash(this.#digest, entry.chain + this.#since.length)",
      },
    ],
    expected: ["G8"],
    search: { tier: "micro", seeds: 20 },
  },
];

/** The same in the real parts, where no simulator of Raft looks. */
export const REAL_PARTS: readonly Mutant[] = [
  {
    number: 24,
    name: "the applied index is written after the transaction of the data",
    module: "sqlite",
    patches: [
      {
        file: "surroundings.ts",
        from: '  writer.saveState();\n  try {\n    writer.run("COMMIT");',
        to: '  try {\n    writer.run("COMMIT");\n    writer.saveState();',
      },
    ],
    expected: [],
    real: indexAndDataTogether,
  },
  {
    number: 27,
    name: "the error of a sync is ignored",
    module: "wal",
    patches: [
      {
        file: "tail.ts",
        from: "await this.#flightHandle.syncAsync();",
        to: "await this.#flightHandle.syncAsync().catch(() => undefined);",
      },
    ],
    expected: [],
    directed: ["K09"],
  },
  {
    number: 28,
    name: "damage in the middle is cut off like a torn tail",
    module: "wal",
    patches: [
      {
        file: "recovery.ts",
        from: "input.isSealed || findWitness(tail) !== null",
        to: "input.isSealed && findWitness(tail) !== null",
      },
    ],
    expected: [],
    directed: ["K04"],
  },
  {
    number: 35,
    name: "random() is left to each replica",
    module: "sqlite",
    patches: [
      {
        file: "deterministic-functions.ts",
        from: '  database.function("random", varying, () => chance.integer());\n',
        to: "",
      },
    ],
    expected: [],
    real: sameEntriesSameState,
  },
];
