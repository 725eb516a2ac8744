/**
 * What does the Raft log cost above the write-ahead log on which it stands?
 *
 * One step of consensus, a hard state and one entry, is written and synced. The peer appends the
 * same entry to a plain log and syncs it; both end in one fdatasync. Not measured: network, SQL,
 * and reading back.
 */
import { join } from "node:path";
import { createNodeDisk } from "#platform";
import { encodeEntry, openRaftLog } from "#replica";
import { openWal } from "#wal";
import type { Bench } from "../harness/index.ts";

const PAYLOAD_BYTES = 200;
const WARM_UP = 20;

export async function persistOneStep(bench: Bench): Promise<void> {
  const steps = bench.parameter("steps", { small: 60, canonical: 4000 });
  const dir = bench.directory();
  const disk = createNodeDisk();
  const { log } = openRaftLog({ disk, dir: join(dir, "raft") });
  bench.defer(() => log.close());
  const { wal } = openWal({ disk, dir: join(dir, "plain") }, () => {});
  bench.defer(() => wal.close());

  const ours = bench.series("raft log, one step");
  const plain = bench.series("plain log, one record");
  const bytes = encodeEntry("command", new Uint8Array(PAYLOAD_BYTES).fill(7));
  const one = async (index: number): Promise<void> => {
    log.write({ hardState: { term: index, vote: 1 }, entries: [{ index, term: index, bytes }] });
    await log.sync();
  };
  const other = async (): Promise<void> => {
    await wal.commit(bytes);
  };
  for (let index = 1; index <= WARM_UP; index += 1) {
    await one(index);
    await other();
  }
  for (let index = WARM_UP + 1; index <= WARM_UP + steps; index += 1) {
    await ours.measureAsync(() => one(index));
    await plain.measureAsync(other);
  }
  bench.work(`${steps} steps, last index ${log.lastIndex}, next record ${wal.nextLsn}`);
  for (const percentile of [50, 99]) {
    bench.ratio(`one durable step at p${percentile}`, {
      subject: ours.microsecondsAt(percentile),
      peer: plain.microsecondsAt(percentile),
      peerName: plain.name,
    });
  }
}
