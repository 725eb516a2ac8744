/**
 * A process that puts copies in the place of its database, again and again, until it is killed.
 *
 * Arguments: database file, a copy to install, its index, one of a later state, its index. It says
 * `from to` before each installation, and `to` behind it.
 */
import { copyFileSync } from "node:fs";
import { openSqliteMachine } from "#sqlite";

const [path = "", first = "", firstIndex = "", second = "", secondIndex = ""] =
  process.argv.slice(2);
const copies = [
  { file: first, index: Number(firstIndex) },
  { file: second, index: Number(secondIndex) },
];
const machine = openSqliteMachine({ path, checkpointBytes: 64 * 1024 });
for (let round = 0; ; round += 1) {
  const { file, index } = copies[round % 2]!;
  const incoming = `${path}.in-${index}`;
  copyFileSync(file, incoming);
  process.stdout.write(`${machine.appliedIndex()} ${index}\n`);
  machine.restore(incoming, index);
  process.stdout.write(`${index}\n`);
}
