/**
 * Scenarios of reads and snapshots that also have to catch planted mistakes: they take the core as
 * an argument and fail by throwing.
 */
import type { AppendMessage, createRaftCore, Output, SnapshotMessage } from "#raft";
import { Violation } from "./checker.ts";
import { Cluster, HEARTBEAT_MS } from "./cluster.ts";
import type { Packet, SnapshotFile } from "./node.ts";

type Create = typeof createRaftCore;

const isReply = ({ message }: Packet): boolean => message.kind === "appendReply";

/** What became of reads, among the outputs of a step. */
export function answers(outputs: readonly Output[]): Output[] {
  return outputs.filter(
    ({ kind }) => kind === "readReady" || kind === "readFailed" || kind === "refused",
  );
}

/** D03: an answer to an append that left before the read confirms nothing. */
export function earlyAnswers(create: Create): Cluster {
  const cluster = new Cluster({ nodes: 3, createRaftCore: create });
  cluster.elect(1);
  cluster.pass(HEARTBEAT_MS, [1]);
  cluster.deliver(({ from }) => from === 1);
  const early = cluster.packets.filter(isReply);
  cluster.leader.step(cluster.now, { kind: "read", id: 1, via: "index" });
  for (const packet of early) cluster.hand(packet);
  const [answer] = answers(cluster.leader.takeEvents());
  if (answer !== undefined) throw new Violation("G11", `the read is ${answer.kind}`);
  return cluster;
}

/** A lease runs from the append of what is committed, however long the commit took. */
export function leaseFromAppend(create: Create): Cluster {
  const options = { leaseMs: 800, clockDriftMax: 0.05 };
  const cluster = new Cluster({ nodes: 3, options, createRaftCore: create });
  cluster.elect(1);
  const appendedAt = cluster.now;
  cluster.propose(1);
  cluster.now += 300;
  cluster.settle();
  const read = { kind: "read", id: 1, via: "lease" } as const;
  const [answer] = answers(cluster.leader.step(cluster.now, read));
  const until = answer?.kind === "readReady" ? answer.leaseUntil : undefined;
  if (until !== appendedAt + 760) throw new Violation("G12", `appended ${appendedAt}, to ${until}`);
  return cluster;
}

/** One chunk of two of a copy at entry 4. */
export const CHUNK: SnapshotMessage = {
  kind: "snapshot",
  term: 5,
  session: 0,
  index: 4,
  indexTerm: 2,
  configuration: { index: 0, sets: { voters: [1, 2, 3], outgoing: [], learners: [] } },
  copy: 1,
  offset: 0,
  bytes: 10,
  totalBytes: 20,
};

/** Node 3's log contradicts what node 1 has committed and copied. */
export function withConflict(create?: Create): { cluster: Cluster; file: SnapshotFile } {
  const logs = { 1: [1, 1, 2, 2], 3: [1, 1, 1, 1, 1, 1] };
  const cluster = new Cluster({ nodes: 3, logs, ...(create && { createRaftCore: create }) });
  cluster.node(1).start(0, 4);
  const file = { entries: cluster.node(1).log };
  for (const [i, { chain, term }] of file.entries.entries()) {
    cluster.checker.committed[i] = { chain, entryTerm: term, inTerm: 2 };
  }
  return { cluster, file };
}

/** Hands node 3 the whole copy; returns what the last chunk brought about. */
export function handCopy(cluster: Cluster, file: SnapshotFile): Output[] {
  const packet = { from: 1, to: 3, payloads: [], file };
  cluster.hand({ ...packet, message: CHUNK });
  return cluster.hand({ ...packet, message: { ...CHUNK, offset: 10 } });
}

/** Entries 5 and on of term 5, behind the copy. */
function behindCopy(count: number, commit: number): AppendMessage {
  return {
    kind: "append",
    term: 5,
    prevIndex: 4,
    prevTerm: 2,
    sizes: Array<number>(count).fill(1),
    runs: [{ first: 5, term: 5 }],
    configurations: [],
    commit,
    session: 0,
    round: 1,
  };
}

/** S06: nothing is applied before the copy is in place, whatever is committed and on disk. */
export function appliesAfterInstall(create: Create): Cluster {
  const { cluster, file } = withConflict(create);
  handCopy(cluster, file);
  cluster.inject(1, 3, behindCopy(1, 5), [{ size: 1, payload: 9 }]);
  // The disk is quick, the installation is not: the core hears of the first only.
  const outputs: Output[] = [];
  cluster.node(3).running.step(cluster.now, { kind: "persisted", seq: 3 }, outputs);
  if (outputs.some(({ kind }) => kind === "apply")) throw new Violation("L10", "applied early");
  return cluster;
}

/** S07: a write of entries that the copy replaced proves nothing about their successors. */
export function copyOverPendingWrites(create: Create): Cluster {
  const { cluster, file } = withConflict(create);
  const node = cluster.node(3);
  // A leader of term 4 adds two entries to the contradicting log; they are not on disk yet.
  const more: AppendMessage = { ...behindCopy(2, 0), term: 4, prevIndex: 6, prevTerm: 1 };
  const two = [1, 2].map((payload) => ({ size: 1, payload }));
  cluster.inject(2, 3, { ...more, runs: [{ first: 7, term: 4 }] }, two);
  handCopy(cluster, file);
  cluster.inject(
    1,
    3,
    behindCopy(4, 0),
    [1, 2, 3, 4].map((payload) => ({ size: 1, payload })),
  );
  node.sync(cluster.now, 1);
  const { stableIndex } = node.running.status();
  if (stableIndex > 4) throw new Violation("L3", `${stableIndex} counts as on disk`);
  return cluster;
}
