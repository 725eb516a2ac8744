/**
 * The process that the experiment kill9 kills: it appends as fast as it can to a log whose syncs do
 * nothing, and says each number that it believes to be safe.
 *
 * Started with the log's directory as its argument.
 */
import { writeSync } from "node:fs";
import { createNodeDisk } from "#platform";
import { openWal } from "#wal";
import { payloadOf } from "./lab.ts";
import { withoutSync } from "./without-sync.ts";

const [, , dir = ""] = process.argv;
const { wal } = openWal({ disk: withoutSync(createNodeDisk()), dir }, () => {});
const STDOUT = 1;

for (;;) {
  const lsn = wal.append(payloadOf(wal.nextLsn, 20 + ((wal.nextLsn * 97) % 900)));
  wal.sync();
  // Straight to the pipe: what a stream holds back would be lost with the process.
  writeSync(STDOUT, `${lsn}\n`);
}
