/**
 * A process that applies a history to a machine and says how far it is, until it is killed.
 *
 * Arguments: database file, last index.
 */
import { openSqliteMachine } from "#sqlite";
import { historyEntry } from "./crash-history.ts";

const [path = "", last = "0"] = process.argv.slice(2);
const machine = openSqliteMachine({ path, checkpointBytes: 64 * 1024 });
for (let index = machine.appliedIndex() + 1; index <= Number(last); ) {
  const count = Math.min(1 + (index % 5), Number(last) - index + 1);
  machine.applyBatch(Array.from({ length: count }, (_, at) => historyEntry(index + at)));
  index += count;
  process.stdout.write(`${index - 1}\n`);
}
