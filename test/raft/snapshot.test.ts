/**
 * Peers whose entries are compacted away. Method: clusters by hand under the checker, with copies
 * of ten chunks; the ids are those of the project's list of Raft scenarios (S).
 */
import { describe, expect, test } from "vitest";
import { createRaftCore, type Message, type Output, type SnapshotMessage } from "#raft";
import { Cluster, ELECTION_TIMEOUT_MS, HEARTBEAT_MS } from "./cluster.ts";
import { COPY_BYTES, type Packet } from "./node.ts";
import {
  appliesAfterInstall,
  CHUNK,
  copyOverPendingWrites,
  handCopy,
  withConflict,
} from "./read-scenarios.ts";

const CHUNK_BYTES = 10;

/** Node 3 was away, and the leader's log begins behind what it lacks. */
function withLaggard(): Cluster {
  const cluster = new Cluster({ nodes: 3, options: { snapshotChunkBytesMax: CHUNK_BYTES } });
  cluster.elect(1, [1, 2]);
  cluster.propose(1, [1, 1, 1, 1]);
  cluster.settle([1, 2]);
  cluster.leader.compact(cluster.now, 4);
  cluster.leader.takeEvents();
  return cluster;
}

const isChunk = ({ message }: Packet): boolean => message.kind === "snapshot";
const chunks = (packets: readonly Packet[]): SnapshotMessage[] =>
  packets.map(({ message }): Message => message).filter((message) => message.kind === "snapshot");

/** Lets time pass until the copy's first chunks are on the wire. */
function toFirstChunks(cluster: Cluster): void {
  cluster.pass(HEARTBEAT_MS, [1]);
  while (chunks(cluster.packets).length === 0) {
    cluster.sync();
    if (cluster.deliver() === 0) cluster.pass(HEARTBEAT_MS, [1]);
  }
}

function peer(cluster: Cluster, id: number) {
  return cluster
    .node(1)
    .running.status()
    .peers.find((one) => one.peer === id);
}

describe("sending", () => {
  test("S01: a peer that lags gets a copy, then the log, and all of it once", () => {
    const cluster = withLaggard();
    cluster.run(3 * HEARTBEAT_MS);
    expect(cluster.node(3).running.status()).toMatchObject({ firstIndex: 6, appliedIndex: 5 });
    expect(peer(cluster, 3)).toMatchObject({ state: "replicate", match: 5 });
    expect(cluster.leader.copies.size).toBe(0);
    const sent = chunks(cluster.sent);
    expect(sent).toHaveLength(Math.ceil(COPY_BYTES / CHUNK_BYTES));
    expect(sent.at(-1)).toMatchObject({ offset: 90, bytes: 5, totalBytes: COPY_BYTES });
    cluster.propose(1);
    cluster.settle();
    expect(cluster.node(3).appliedIndex).toBe(6);
  });

  test("S01: a copy exactly at the leader's last entry leaves nothing to probe for", () => {
    const cluster = withLaggard();
    cluster.leader.compact(cluster.now, 5);
    cluster.run(3 * HEARTBEAT_MS);
    expect(peer(cluster, 3)).toMatchObject({ state: "replicate", match: 5, next: 6 });
    expect(cluster.node(3).appliedIndex).toBe(5);
  });

  test("no copy is made for a peer that does not answer", () => {
    const cluster = withLaggard();
    cluster.run(5 * ELECTION_TIMEOUT_MS, [1, 2]);
    const asked = cluster.leader.takeEvents().filter(({ kind }) => kind === "makeSnapshot");
    expect(asked).toEqual([]);
  });

  test("a copy that is not made is asked for again after an election timeout", () => {
    const cluster = withLaggard();
    cluster.leader.makesCopies = false;
    cluster.run(3 * ELECTION_TIMEOUT_MS);
    const asked = cluster.leader.takeEvents().filter(({ kind }) => kind === "makeSnapshot");
    expect(asked).toHaveLength(3);
    expect(asked[0]).toEqual({ kind: "makeSnapshot", to: 3, atLeast: 4 });
    const ready = { kind: "snapshotReady", to: 3, index: 5, copy: 7 } as const;
    expect(cluster.leader.step(cluster.now, { ...ready, totalBytes: 0 })).toEqual([]);
    cluster.leader.makesCopies = true;
    cluster.run(2 * ELECTION_TIMEOUT_MS);
    expect(cluster.node(3).appliedIndex).toBe(5);
  });

  test("four chunks are under way at first, and heartbeats all the time", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    expect(chunks(cluster.packets).map(({ offset }) => offset)).toEqual([0, 10, 20, 30]);
    cluster.drop();
    cluster.pass(3 * HEARTBEAT_MS, [1]);
    expect(cluster.packets.filter(({ to }) => to === 3).map(({ message }) => message.kind)).toEqual(
      ["append", "append", "append"],
    );
  });

  test("S02: lost chunks come again, one first, and nobody campaigns meanwhile", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    cluster.drop(isChunk);
    for (let beat = 0; beat < 6; beat += 1) {
      cluster.pass(HEARTBEAT_MS);
      cluster.deliver((packet) => !isChunk(packet));
    }
    expect(chunks(cluster.packets).map(({ offset }) => offset)).toEqual([0]);
    cluster.run(5 * ELECTION_TIMEOUT_MS);
    expect(cluster.node(3).appliedIndex).toBe(5);
    expect(cluster.leader.term).toBe(1);
  });

  test("S02: the last chunk and all answers are lost: the last chunk comes again", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    while (cluster.node(3).appliedIndex < 5) {
      cluster.deliver(({ to }) => to === 3);
      cluster.sync([3]);
      cluster.deliver(({ message }) => message.kind === "snapshotReply");
      cluster.drop(({ message }) => message.kind === "appendReply" && message.match === 5);
    }
    cluster.drop();
    cluster.run(ELECTION_TIMEOUT_MS);
    expect(peer(cluster, 3)).toMatchObject({ state: "replicate", match: 5 });
  });

  test("S03: the receiver dies half way and is served from its start again", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    cluster.deliver();
    cluster.crash(3);
    cluster.restart(3);
    cluster.run(2 * ELECTION_TIMEOUT_MS);
    expect(cluster.node(3).appliedIndex).toBe(5);
    expect(chunks(cluster.sent).filter(({ offset }) => offset === 0).length).toBeGreaterThan(1);
  });

  test("S09: compaction beyond the copy's index means another copy", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    cluster.propose(1, [1, 1]);
    cluster.settle([1, 2]);
    cluster.leader.compact(cluster.now, 7);
    expect(cluster.leader.copies.size, "the old one is given back").toBe(0);
    cluster.run(2 * ELECTION_TIMEOUT_MS);
    expect(cluster.node(3).appliedIndex).toBe(7);
    expect(chunks(cluster.sent).some(({ index }) => index === 7)).toBe(true);
    expect(cluster.leader.copies.size).toBe(0);
  });

  test("S09: whoever is silent gets another copy when it answers, and not before", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    cluster.propose(1, [1, 1]);
    cluster.settle([1, 2]);
    cluster.leader.compact(cluster.now, 7);
    const newer = (): number => chunks(cluster.sent).filter(({ index }) => index === 7).length;
    cluster.run(2 * ELECTION_TIMEOUT_MS, [1, 2]);
    expect([cluster.leader.copies.size, newer()]).toEqual([0, 0]);
    cluster.run(2 * ELECTION_TIMEOUT_MS);
    expect(newer()).toBeGreaterThan(0);
    expect(cluster.node(3).appliedIndex).toBe(7);
  });

  test("S10: a learner that was never there is given a copy when it comes", () => {
    const cluster = new Cluster({ nodes: 2, voters: (id) => (id === 1 ? [1] : []) });
    cluster.run(HEARTBEAT_MS, [1]);
    cluster.change(1, [1], [2]);
    cluster.propose(1, [1, 1, 1]);
    cluster.settle([1]);
    cluster.leader.compact(cluster.now, cluster.leader.log.length);
    cluster.run(5 * ELECTION_TIMEOUT_MS, [1]);
    cluster.run(5 * HEARTBEAT_MS);
    expect(cluster.node(2).appliedIndex).toBe(5);
    expect(peer(cluster, 2)).toMatchObject({ state: "replicate", caughtUp: true });
  });

  test("a leader that steps down gives its copies back", () => {
    const cluster = withLaggard();
    toFirstChunks(cluster);
    expect(cluster.leader.copies.size).toBe(1);
    cluster.pass(2 * ELECTION_TIMEOUT_MS, [1]);
    expect(cluster.node(1).running.role).not.toBe("leader");
    expect(cluster.node(1).copies.size).toBe(0);
    const late = { kind: "snapshotReady", to: 3, index: 5, copy: 9, totalBytes: 1 } as const;
    expect(cluster.node(1).step(cluster.now, late)).toEqual([
      { kind: "dropSnapshot", to: 3, copy: 9 },
    ]);
  });
});

describe("receiving", () => {
  test("S05: a copy whose last entry is here commits, and cuts nothing", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 3: [1, 2, 2, 2, 2] } });
    const outputs = cluster.inject(1, 3, CHUNK);
    expect(cluster.node(3).running.status()).toMatchObject({ commitIndex: 4, lastIndex: 5 });
    cluster.sync();
    expect(outputs.some(({ kind }) => kind === "storeChunk")).toBe(false);
    expect(cluster.packets).toMatchObject([{ message: { ok: true, match: 4 } }]);
  });

  test("S05: a copy older than what is committed is answered and ignored", () => {
    const cluster = new Cluster({ nodes: 3, logs: { 3: [1, 2, 2, 2, 2] } });
    cluster.node(3).start(0, 5);
    cluster.inject(1, 3, { ...CHUNK, indexTerm: 1 });
    cluster.sync();
    expect(cluster.packets).toMatchObject([{ message: { ok: true, match: 4 } }]);
    expect(cluster.node(3).running.lastIndex).toBe(5);
  });

  test("S06: a copy over a contradicting log replaces it, and is acknowledged from disk", () => {
    const { cluster, file } = withConflict();
    const { configuration } = CHUNK;
    const reset = { index: 4, term: 2, configuration, copy: 1 };
    expect(handCopy(cluster, file)).toMatchObject([
      { kind: "storeChunk" },
      { kind: "truncated", from: 1 },
      { kind: "persist", seq: 2, reset },
      { kind: "configuration", committed: true },
      { kind: "install", index: 4, copy: 1, after: 2 },
      { kind: "send", message: { kind: "appendReply", ok: true, match: 4 }, after: 2 },
    ]);
  });

  test("S06: nothing is applied before the copy is in place", () => {
    const cluster = appliesAfterInstall(createRaftCore);
    const { running } = cluster.node(3);
    expect(running.status()).toMatchObject({ stableIndex: 5, commitIndex: 5, appliedIndex: 0 });
    const outputs: Output[] = [];
    running.step(cluster.now, { kind: "applied", index: 4 }, outputs);
    expect(outputs).toEqual([{ kind: "apply", from: 5, to: 5 }]);
  });

  test("S07: writes that are under way prove nothing about what follows the copy", () => {
    const cluster = copyOverPendingWrites(createRaftCore);
    cluster.sync([3]);
    expect(cluster.node(3).running.status()).toMatchObject({ stableIndex: 8, appliedIndex: 4 });
  });

  test("S08: a copy that is whole in a newer term is installed, and acknowledged to nobody", () => {
    const { cluster, file } = withConflict();
    cluster.inject(1, 3, CHUNK);
    cluster.inject(1, 3, { ...CHUNK, offset: 10 });
    const heartbeat = {
      kind: "append",
      term: 6,
      prevIndex: 0,
      prevTerm: 0,
      sizes: [],
      runs: [],
      configurations: [],
      commit: 0,
      session: 0,
      round: 1,
    } as const;
    cluster.inject(2, 3, heartbeat);
    cluster.node(3).incoming = { file, stored: 20 };
    const stored = { kind: "chunkStored", index: 4, copy: 1, nextOffset: 20 } as const;
    const outputs = cluster.node(3).step(cluster.now, stored);
    expect(outputs.map(({ kind }) => kind)).toEqual([
      "truncated",
      "persist",
      "configuration",
      "install",
    ]);
    // The newer leader hears what is here now from the answer to its next heartbeat.
    cluster.sync();
    const heard = cluster.inject(2, 3, heartbeat);
    expect(heard).toMatchObject([{ message: { ok: true, match: 4, term: 6 } }]);
  });

  test("a chunk that is late, twice or too early is answered with what is wanted", () => {
    const cluster = new Cluster({ nodes: 3 });
    const wanted = (message: SnapshotMessage) =>
      cluster
        .inject(1, 3, message)
        .filter((output) => output.kind === "send" || output.kind === "storeChunk");
    expect(wanted(CHUNK)).toMatchObject([{ kind: "storeChunk" }]);
    expect(wanted({ ...CHUNK, offset: 5, bytes: 1 })).toMatchObject([
      { message: { kind: "snapshotReply", nextOffset: 0 } },
    ]);
    // An older copy's chunk, left over on the way, does not start the newer one over.
    expect(wanted({ ...CHUNK, index: 3, copy: 0 })).toEqual([]);
    const stored = { kind: "chunkStored", index: 4, copy: 1, nextOffset: 10 } as const;
    expect(cluster.node(3).step(0, stored)).toMatchObject([{ message: { nextOffset: 10 } }]);
    // The file was found bad: from its start again.
    expect(cluster.node(3).step(0, { ...stored, nextOffset: 0 })).toMatchObject([
      { message: { nextOffset: 0 } },
    ]);
    expect(wanted({ ...CHUNK, offset: 10 })).toMatchObject([{ message: { nextOffset: 0 } }]);
    expect(wanted(CHUNK)).toMatchObject([{ kind: "storeChunk" }]);
  });

  test("a stale leader's chunk is answered with the newer term, and nothing else", () => {
    const cluster = new Cluster({ nodes: 3, terms: { 3: 7 } });
    const outputs = cluster.inject(1, 3, CHUNK);
    expect(outputs).toMatchObject([{ kind: "send", message: { kind: "snapshotReply", term: 7 } }]);
  });
});
