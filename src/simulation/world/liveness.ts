/**
 * What must come about: V1 to V8.
 *
 * V5 and V8 are looked at all the time, the others after the cluster has been healed.
 * Invariant: a bound is missed only by the code under test; nothing here depends on luck once
 * everything is calm. Chapter: 11-simulation.
 */
import type { NodeId, RaftCore } from "#raft/types";
import { brokenInvariant } from "../invariants/index.ts";
import { type Host, MS } from "./host.ts";
import type { World } from "./world.ts";

/** Bounds, in election timeouts. One is drawn up to twice as long, so V1 has five of those. */
const LEADER_WITHIN = 10;
const AGREEMENT_WITHIN = 40;
const DISK_GATE_WITHIN = 3;
const STABLE_FOR = 12;
const PAUSE_TIMEOUTS = 2;
/** A node that does not hear the leader asks for votes after one or two of them. */
const DEAF_TIMEOUTS = 5;
/** What was late when the world was healed may still unseat a leader, but not for long. */
const AFTERMATH = 3;
/** Tries of an operator that repairs the cluster after healing. */
const SNAPSHOT_EXTRA_MS = 2000;
/** Messages a heartbeat and peer, with room for a beat at each end of the time that is counted. */
const IDLE_MESSAGES = 2;
const IDLE_BEATS_SLACK = 3;
/** Bytes that one batch may have above a limit. */
const BATCH_BYTES = 300;

function fail(id: string, node: NodeId, text: string): never {
  throw brokenInvariant(id, node, text);
}

/** V5 and V8, now and then. */
export function watch(world: World): void {
  const gateMicros = DISK_GATE_WITHIN * world.electionTimeoutMs * MS;
  const { now } = world.queue;
  const { uncommittedBytesMax } = world.options.core;
  for (const host of world.hosts.values()) {
    const { core } = host.node;
    if (core?.role !== "leader" || host.isPaused) continue;
    const since = Math.max(host.syncingSince ?? now, host.awakeSince);
    if (now - since > gateMicros) {
      fail("V5", host.id, `leads and its disk has not answered for ${(now - since) / MS} ms`);
    }
    if (uncommittedBytesMax === undefined) continue;
    const bytes = acceptedBytes(host, core);
    if (bytes > uncommittedBytesMax + BATCH_BYTES) {
      fail("V8", host.id, `has accepted ${bytes} bytes that are not committed`);
    }
  }
}

/** Bytes of what this leader has taken and not committed; what it inherited is not its fault. */
function acceptedBytes({ node }: Host, { term, commitIndex }: RaftCore): number {
  let bytes = 0;
  for (let index = node.log.lastIndex; index > commitIndex; index -= 1) {
    const entry = node.log.entryAt(index);
    if (entry?.term !== term) break;
    bytes += entry.size;
  }
  return bytes;
}

/** Lets time pass until the complaint is gone. @throws BrokenInvariant if it stays. */
function wait(world: World, id: string, timeouts: number, complaint: () => string): void {
  const until = world.queue.now + timeouts * world.electionTimeoutMs * MS;
  const step = world.options.core.heartbeatMs * MS;
  for (;;) {
    const text = complaint();
    if (text === "") return;
    if (world.queue.now >= until) fail(id, 0, text);
    world.queue.runUntil(Math.min(until, world.queue.now + step));
  }
}

/** V1: somebody leads. */
export function waitForLeader(world: World): Host {
  wait(world, "V1", LEADER_WITHIN, () =>
    currentLeader(world) === undefined ? "nobody leads" : "",
  );
  return currentLeader(world)!;
}

/** A leader whom a quorum would follow: nobody else leads in a higher term. */
function currentLeader(world: World): Host | undefined {
  return world.leader();
}

/** Members that are alive: those of whom V2 speaks. */
function livingMembers(world: World): Host[] {
  const leader = currentLeader(world);
  if (leader === undefined) return [];
  const { voters, outgoing, learners } = leader.node.running.configuration.sets;
  const members = new Set([...voters, ...outgoing, ...learners]);
  return [...world.hosts.values()].filter((host) => members.has(host.id) && host.isUp);
}

/** V2 and V6: all living members apply the same, have the same state, and the sets are simple. */
export function waitForAgreement(world: World): void {
  const extra = SNAPSHOT_EXTRA_MS / world.electionTimeoutMs;
  wait(world, "V2", AGREEMENT_WITHIN + extra, () => disagreement(world));
}

function disagreement(world: World): string {
  const leader = currentLeader(world);
  if (leader === undefined) return "nobody leads";
  const { index, sets } = leader.node.running.configuration;
  if (sets.outgoing.length > 0) return `configuration ${index} is still joint`;
  const target = Math.max(leader.node.log.lastIndex, world.invariants.ledger.lastIndex);
  for (const { id, node } of livingMembers(world)) {
    const { machine } = node;
    if (machine.index < target) return `node ${id} has applied ${machine.index} of ${target}`;
    if (machine.digest !== leader.node.machine.digest) {
      return `node ${id} has another state than the leader at ${machine.index}`;
    }
  }
  return "";
}

/** V3 and V7: nobody starts an election for nothing, and silence is cheap. */
export function checkStability(world: World): void {
  const { queue, electionTimeoutMs, options } = world;
  queue.runUntil(queue.now + AFTERMATH * electionTimeoutMs * MS);
  waitForLeader(world);
  queue.runUntil(queue.now + electionTimeoutMs * MS);
  const before = reign(world);
  const packets = world.network.packets;
  queue.runUntil(queue.now + STABLE_FOR * electionTimeoutMs * MS);
  const after = reign(world);
  if (before !== after) fail("V3", 0, `the cluster is calm, and ${before} became ${after}`);
  const beats = (STABLE_FOR * electionTimeoutMs) / options.core.heartbeatMs + IDLE_BEATS_SLACK;
  const { voters, outgoing, learners } = currentLeader(world)!.node.running.configuration.sets;
  const peers = new Set([...voters, ...outgoing, ...learners]).size - 1;
  const allowed = IDLE_MESSAGES * Math.max(peers, 1) * beats * (1 + 2 * options.driftMax);
  const used = world.network.packets - packets;
  if (used > allowed) fail("V7", 0, `an idle cluster has sent ${used} packets, not ${allowed}`);
}

/** V3: one node that stood still for a while, or does not hear the leader, moves nobody else. */
export function checkOneOdd(world: World): void {
  const leader = waitForLeader(world);
  const voters = livingVoters(leader.node, world);
  const odd = voters.find((host) => host !== leader);
  // The others must be enough without it.
  if (odd === undefined || voters.length < 3) return;
  const { queue, electionTimeoutMs } = world;
  const before = reign(world, odd);
  odd.pause();
  queue.runUntil(queue.now + PAUSE_TIMEOUTS * electionTimeoutMs * MS);
  odd.resume({ timersFirst: true, noticed: true });
  queue.runUntil(queue.now + electionTimeoutMs * MS);
  const woken = reign(world, odd);
  if (before !== woken) fail("V3", odd.id, `stood still, and ${before} became ${woken}`);
  // Without pre-votes such a node does unseat leaders.
  if (world.options.core.preVote === false) return;
  const links = [[leader.id, odd.id]] as const;
  world.network.cut(links);
  queue.runUntil(queue.now + DEAF_TIMEOUTS * electionTimeoutMs * MS);
  const after = reign(world, odd);
  if (before !== after)
    fail("V3", odd.id, `does not hear the leader, and ${before} became ${after}`);
  world.network.join(links);
}

/** Voters that are alive, if with one less they are still a quorum. */
function livingVoters({ running }: Host["node"], world: World): Host[] {
  const { voters, outgoing } = running.configuration.sets;
  const living = voters.map((id) => world.hosts.get(id)!).filter(({ isUp }) => isUp);
  return outgoing.length === 0 && 2 * (living.length - 1) > voters.length ? living : [];
}

/** Who leads, and which terms the living members are in, save the odd one. */
function reign(world: World, odd?: Host): string {
  const leader = currentLeader(world);
  const members = livingMembers(world).filter((host) => host !== odd);
  const terms = members.map(({ id, node }) => `${id}:${node.running.term}`);
  return `leader ${leader?.id ?? "none"} with terms ${terms.join(" ")}`;
}
