/**
 * One run of the real tier: boot, bad times, healing, and what must be true afterwards.
 *
 * Invariant: after healing everybody gets to the same index in bounded time (V3), the service
 * answers (V2), and then all states are equal, with each acknowledged write in them once.
 * Chapter: 11-simulation.
 */
import type { ReplicaStatus } from "#replica/types";
import { type BrokenInvariant, brokenInvariant, isBrokenInvariant } from "../invariants/index.ts";
import type { RunReport } from "../world/index.ts";
import { Clients } from "./clients.ts";
import { RealCluster } from "./cluster.ts";
import { READ_ACCOUNTS, READ_DONE } from "./commands.ts";
import { Injector } from "./injector.ts";
import type { RealNode } from "./node.ts";
import type { RealParts, RealPlan } from "./types.ts";

/** Bounds, in election timeouts and more than generous: what takes longer does not end. */
const BOOT_TIMEOUTS = 100;
const AGREEMENT_TIMEOUTS = 300;
const SERVICE_TIMEOUTS = 100;

/** A run that has ended, with the world as it was then. */
export interface EndedRealRun {
  readonly report: RunReport;
  readonly cluster: RealCluster;
  /** Facts of each node at the end, for a report. */
  readonly nodes: readonly NodeFacts[];
}

/** One node at the end of a run. */
export interface NodeFacts {
  readonly number: number;
  readonly state: string;
  readonly status: ReplicaStatus | undefined;
}

/** Runs a plan to its end or to the first broken invariant. */
export async function runRealPlan(plan: RealPlan, parts: RealParts): Promise<EndedRealRun> {
  const cluster = new RealCluster(plan.options, parts);
  const clients = new Clients(cluster);
  const injector = new Injector(cluster);
  let broken: BrokenInvariant | undefined;
  try {
    await runPhases(plan, { cluster, clients, injector });
  } catch (error) {
    if (!isBrokenInvariant(error)) throw error;
    broken = error;
    cluster.fail(error);
  }
  const report: RunReport = {
    seed: plan.options.seed,
    hash: cluster.trace.hash,
    steps: cluster.trace.steps,
    packets: cluster.trace.frames,
    committed: cluster.ledger.lastIndex,
    terms: cluster.ledger.lastTerm,
    virtualMs: Math.round(cluster.now),
    operations: { ...clients.counts },
    operator: { ...injector.done, "copies installed": cluster.copiesInstalled },
    broken,
  };
  const nodes = cluster.nodes.map((node) => {
    const state = node.gate.isPaused ? "paused" : node.state;
    return { number: node.number, state, status: node.status() };
  });
  for (const node of cluster.nodes) node.release();
  return { report, cluster, nodes };
}

interface Run {
  readonly cluster: RealCluster;
  readonly clients: Clients;
  readonly injector: Injector;
}

async function runPhases({ options, faults }: RealPlan, run: Run): Promise<void> {
  const { cluster, clients, injector } = run;
  const { electionTimeoutMs, safetyMs, clientTimeoutMs } = options;
  for (const node of cluster.nodes) node.start();
  if (!(await clients.setUp(BOOT_TIMEOUTS * electionTimeoutMs))) {
    throw brokenInvariant("V1", 0, "nobody leads, and nothing was wrong yet");
  }
  cluster.note("--- bad times begin");
  injector.schedule(faults);
  clients.start();
  await cluster.run(safetyMs);
  cluster.note("--- healed");
  clients.isStopped = true;
  injector.heal();
  await agree(cluster);
  if (!(await clients.mustWrite(SERVICE_TIMEOUTS * electionTimeoutMs))) {
    throw brokenInvariant("V2", 0, "the service does not answer a write");
  }
  await cluster.run(clientTimeoutMs);
  await agree(cluster);
  checkStates(cluster, clients);
  cluster.ledger.end();
  if (cluster.broken !== undefined) throw cluster.broken;
  clients.records.check();
}

/** @throws BrokenInvariant V3 */
async function agree(cluster: RealCluster): Promise<void> {
  const limitMs = AGREEMENT_TIMEOUTS * cluster.options.electionTimeoutMs;
  if (await cluster.runUntil(() => isAgreed(cluster), limitMs)) return;
  throw brokenInvariant("V3", 0, "healed, and not all members get to the leader's state");
}

/** All members of the one committed configuration have applied the leader's whole log. */
function isAgreed(cluster: RealCluster): boolean {
  const target = cluster.leader()?.status();
  if (target === undefined || target.commitIndex !== target.lastIndex) return false;
  const { committedConfiguration, configuration } = target;
  if (committedConfiguration.index !== configuration.index) return false;
  return membersOf(cluster).every((node) => {
    const status = node?.status();
    return status?.term === target.term && status.appliedIndex === target.lastIndex;
  });
}

function membersOf(cluster: RealCluster): (RealNode | undefined)[] {
  const { voters, outgoing, learners } = cluster.leader()!.status()!.configuration.sets;
  return [...new Set([...voters, ...outgoing, ...learners])].map((id) => cluster.node(id));
}

function checkStates(cluster: RealCluster, clients: Clients): void {
  let first: { readonly node: number; readonly digest: string } | undefined;
  for (const node of membersOf(cluster)) {
    if (node?.machine === undefined) throw brokenInvariant("V3", 0, "a member does not run");
    const digest = Buffer.from(node.machine.digest()).toString("hex");
    first ??= { node: node.number, digest };
    if (digest !== first.digest) {
      const text = `has another state than node ${first.node} at ${node.machine.appliedIndex()}`;
      throw brokenInvariant("G7", node.number, text);
    }
    checkDone(node, clients);
  }
}

/** Each acknowledged write is there once, each refused one is not, no other is there twice. */
function checkDone(node: RealNode, { acknowledged, refused }: Clients): void {
  const rows = node.machine?.query(READ_DONE) ?? [];
  const counts = new Map(rows.map(([id, count]) => [Number(id), Number(count)]));
  const say = (text: string): never => {
    throw brokenInvariant("G13", node.number, text);
  };
  for (const [id, count] of counts) {
    if (count !== 1) say(`has done write ${id} ${count} times`);
    if (refused.has(id)) say(`has done write ${id}, which was refused`);
  }
  for (const id of acknowledged) {
    if (!counts.has(id)) say(`has not done write ${id}, which was acknowledged`);
  }
  const balances = (node.machine?.query(READ_ACCOUNTS) ?? []).map(([, balance]) => balance);
  if (balances.some((balance) => Number(balance) < 0)) say(`has balances ${balances.join(", ")}`);
}
