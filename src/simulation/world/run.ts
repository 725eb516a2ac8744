/**
 * One run of a plan: boot, bad times, healing, and what must be true afterwards.
 *
 * boot (no faults until somebody leads) -> safety (faults, clients, operators) -> healing to
 * everybody, or to a majority with the rest dead for good -> V1, V2 -> calm: V3, V7 -> the service
 * answers -> durability, digests and the history. Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";
import {
  type BrokenInvariant,
  brokenInvariant,
  isBrokenInvariant,
  isQuorum,
} from "../invariants/index.ts";
import { Client } from "./client.ts";
import { Stream } from "./draws.ts";
import { type Host, MS } from "./host.ts";
import { checkOneOdd, checkStability, waitForAgreement, waitForLeader, watch } from "./liveness.ts";
import type { ClientAction, OperatorAction, Plan, ProposerAction } from "./types.ts";
import { type RunParts, World } from "./world.ts";

/** How often disks and limits are looked at, in election timeouts. */
const WATCH_TIMEOUTS = 0.5;
/** Everything is compared with everything so often. */
const SWEEP_MS = 10_000;
/** The service check: so many writes, and as many reads, by one client in so many timeouts. */
const SERVICE_ACTIONS = 10;
const SERVICE_TIMEOUTS = 20;
const SERVICE_CLIENT = 90;

/** What a run came to. */
export interface RunReport {
  readonly seed: number;
  /** Fingerprint of every step. */
  readonly hash: number;
  readonly steps: number;
  readonly packets: number;
  readonly committed: number;
  readonly terms: number;
  readonly virtualMs: number;
  readonly operations: { readonly ok: number; readonly failed: number; readonly unknown: number };
  /** What operators asked and got. */
  readonly operator: Readonly<Record<string, number>>;
  /** What was broken first; undefined if nothing was. */
  readonly broken: BrokenInvariant | undefined;
}

/** A run that has ended, with the world as it was then. */
export interface EndedRun {
  readonly report: RunReport;
  readonly world: World;
}

/** Runs a plan to its end or to the first broken invariant. */
export function runPlan(plan: Plan, parts: RunParts): EndedRun {
  const world = new World(plan, parts);
  let broken: BrokenInvariant | undefined;
  try {
    runPhases(world);
  } catch (error) {
    if (!isBrokenInvariant(error)) throw error;
    broken = error;
    world.trace.note(world.queue.now, `BROKEN ${error.message}`);
  }
  return { report: reportOf(world, broken), world };
}

function runPhases(world: World): void {
  const { queue, options } = world;
  for (const host of world.hosts.values()) host.start();
  world.isCalm = true;
  world.network.isCalm = true;
  waitForLeader(world);
  world.isCalm = false;
  world.network.isCalm = false;
  world.trace.note(queue.now, "--- bad times begin");
  schedulePlan(world);
  passBadTimes(world, queue.now + options.safetyMs * MS);
  world.trace.note(queue.now, "--- healed");
  heal(world);
  waitForLeader(world);
  waitForAgreement(world);
  // Behind the aftermath: what was late may unseat one more leader, and a write with it.
  checkStability(world);
  checkService(world);
  waitForAgreement(world);
  checkOneOdd(world);
  waitForAgreement(world);
  world.invariants.sweep();
  world.workload.finish();
}

function schedulePlan(world: World): void {
  const { plan, queue } = world;
  const { now } = queue;
  world.injector.schedule(plan.faults, now);
  world.operator.schedule(
    plan.operations.filter((one): one is OperatorAction => one.by === "operator"),
    now,
  );
  world.schedule(
    plan.operations.filter((one): one is ProposerAction => one.by === "proposer"),
    now,
  );
  for (const client of world.clients) client.next();
}

function passBadTimes(world: World, until: number): void {
  const { queue } = world;
  const step = WATCH_TIMEOUTS * world.electionTimeoutMs * MS;
  let sweepAt = queue.now + SWEEP_MS * MS;
  while (queue.now < until) {
    queue.runUntil(Math.min(until, queue.now + step));
    watch(world);
    if (queue.now < sweepAt) continue;
    world.invariants.sweep();
    sweepAt = queue.now + SWEEP_MS * MS;
  }
}

/** Everything works again, save the nodes that are dead for good. */
function heal(world: World): void {
  world.isCalm = true;
  world.network.heal();
  for (const client of world.clients) client.isStopped = true;
  for (const id of chooseLost(world)) {
    world.hosts.get(id)!.lose();
  }
  for (const host of world.hosts.values()) {
    host.repair();
    host.resume({ timersFirst: false, noticed: true });
    host.start();
  }
}

/** Nodes to lose, such that each configuration that may be in force keeps a quorum. */
function chooseLost(world: World): NodeId[] {
  const lost: NodeId[] = [];
  const { options, draws, hosts } = world;
  const candidates = [...hosts.values()].filter(({ isGone }) => !isGone).map(({ id }) => id);
  for (let n = 0; n < options.lostForGood && candidates.length > 0; n += 1) {
    const place = draws.below(candidates.length, Stream.heal, n, 0, 0);
    const [id] = candidates.splice(place, 1);
    if (id !== undefined && canLose(world, [...lost, id])) lost.push(id);
  }
  return lost;
}

function canLose({ hosts }: World, lost: readonly NodeId[]): boolean {
  const has = (id: NodeId): boolean => !lost.includes(id) && hosts.get(id)?.isGone === false;
  for (const { node } of [...hosts.values()].filter(({ isGone }) => !isGone)) {
    for (const log of [node.log, node.disk.log]) {
      for (const { sets } of [log.base.configuration, ...log.configurations]) {
        if (sets.voters.length > 0 && !isQuorum(sets, has)) return false;
      }
    }
  }
  return true;
}

/** Ten writes and ten reads, all answered. */
function checkService(world: World): void {
  if (world.options.clients === 0) {
    for (let n = 1; n <= SERVICE_ACTIONS; n += 1) {
      world.propose({ by: "proposer", at: 0, id: 1_000_000 + n, count: 1, bytes: 1 });
    }
    return;
  }
  let done = 0;
  const client = new Client(world, SERVICE_CLIENT, serviceActions());
  client.onEnd = (ok) => {
    if (ok) done += 1;
  };
  client.next();
  const { queue } = world;
  const until = queue.now + SERVICE_TIMEOUTS * world.electionTimeoutMs * MS;
  while (done < 2 * SERVICE_ACTIONS) {
    if (queue.now >= until) {
      const text = `the service has answered ${done} of ${2 * SERVICE_ACTIONS} requests`;
      throw brokenInvariant("V2", 0, text);
    }
    queue.runUntil(queue.now + world.options.core.heartbeatMs * MS);
  }
}

function serviceActions(): ClientAction[] {
  return Array.from({ length: 2 * SERVICE_ACTIONS }, (_, place) => ({
    by: "client" as const,
    id: SERVICE_CLIENT * 10_000 + place,
    client: SERVICE_CLIENT,
    thinkMs: 0,
    kind: place % 2 === 0 ? ("put" as const) : ("get" as const),
    via: "index" as const,
    key: `k${place % 4}`,
    value: place % 2 === 0 ? SERVICE_CLIENT * 10_000 + place : null,
    bytes: 10,
    choice: place,
    anywhere: place % 4 === 1,
  }));
}

function reportOf(world: World, broken: BrokenInvariant | undefined): RunReport {
  const terms = [...world.hosts.values()].map(({ node }: Host) => node.disk.hardState.term);
  return {
    seed: world.options.seed,
    hash: world.trace.hash,
    steps: world.trace.steps,
    packets: world.network.packets,
    committed: world.invariants.ledger.lastIndex,
    terms: Math.max(...terms),
    virtualMs: Math.round(world.queue.now / MS),
    operations: { ...world.workload.counts },
    operator: Object.fromEntries(world.operator.done),
    broken,
  };
}
