/**
 * Does a restart read or copy the database?
 *
 * A node is killed with SIGKILL under a database of 1 MB and under one of 100 MB; the time from the
 * start of the process to its first answer to a read, and to its first acknowledged write, is
 * taken. If a restart read or copied the database, the large one would take many times longer. A
 * single node, so that no election timeout of a cluster hides the difference.
 */
import { createCluster, type ProcessCluster } from "../../test/support/cluster.ts";
import type { ProcessNode } from "../../test/support/processes.ts";
import type { Bench } from "../harness/index.ts";

const MEBIBYTE = 1024 * 1024;
const ROW_BYTES = 1000;
const ROWS_PER_BATCH = 500;

async function fill(cluster: ProcessCluster, node: ProcessNode, mebibytes: number): Promise<void> {
  await cluster.execute(node, ["CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"]);
  const total = Math.ceil((mebibytes * MEBIBYTE) / ROW_BYTES);
  for (let from = 0; from < total; from += ROWS_PER_BATCH) {
    const count = Math.min(ROWS_PER_BATCH, total - from);
    // The values travel in the request, so that the log has to carry every byte of the database
    // too.
    const rows = Array.from({ length: count }, (_, n) => `${from + n} `.padEnd(ROW_BYTES, "x"));
    const sql = "INSERT INTO t(v) SELECT value FROM json_each(?)";
    await cluster.execute(node, [[sql, JSON.stringify(rows)]]);
  }
}

/** Restart after SIGKILL: 100 MB against 1 MB, at most twice the time. */
export async function restartDoesNotReadTheDatabase(bench: Bench): Promise<void> {
  const large = bench.parameter("largeMebibytes", { small: 4, canonical: 100 });
  const rounds = bench.parameter("rounds", { small: 1, canonical: 9 });
  const sizes = [1, large];
  const setups: { cluster: ProcessCluster; node: ProcessNode; mebibytes: number }[] = [];
  for (const mebibytes of sizes) {
    const cluster = await createCluster({
      nodes: 1,
      dir: bench.directory(),
      stopAtTestEnd: false,
    });
    bench.defer(() => cluster.stopAll());
    await cluster.startAll();
    const node = await cluster.waitForLeader();
    await fill(cluster, node, mebibytes);
    setups.push({ cluster, node, mebibytes });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { cluster, node, mebibytes } of setups) {
      // Something to replay, as after any crash under load.
      await cluster.execute(node, [["INSERT INTO t(v) VALUES(?)", `round ${round}`]]);
      await node.kill9();
      await bench.series(`restart on ${mebibytes} MiB`).measureAsync(async () => {
        await node.start();
        await cluster.rows(node, "SELECT max(id) FROM t");
      });
      await cluster.waitForLeader();
    }
    bench.work(`round ${round}`);
  }
  const at = (mebibytes: number): number =>
    bench.series(`restart on ${mebibytes} MiB`).microsecondsAt(50);
  bench.ratio(
    "restart on the large database",
    { subject: at(large), peer: at(1), peerName: "restart on 1 MiB" },
    { atMost: 2 },
  );
}
