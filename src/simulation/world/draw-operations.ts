/**
 * What operators and clients will do in a run, decided before it begins.
 *
 * Invariant: values that clients write are unique in a run, so that a read tells which write it
 * saw. Chapter: 11-simulation.
 */
import { type Draws, Stream } from "./draws.ts";
import type { ClientAction, OperatorAction, PlannedOperation, RunOptions } from "./types.ts";

const MEMBERSHIP: readonly OperatorAction["kind"][] = [
  "add-learner",
  "add-learner",
  "promote",
  "promote",
  "demote",
  "remove",
  "replace",
  "touch",
];
/** Rests of clients, on average: busy or idle ones. */
const THINK_MS = [60, 150, 300];
/** Rest for one in so many actions: a quiet phase, in which nothing is written. */
const LONG_REST_EVERY = 40;
const LONG_REST_MS = 3000;
/** Histories stay small enough for the search: so many actions of all clients together. */
const ACTIONS_MAX = 1100;

/** Decides the operations of a run. */
export function drawOperations(options: RunOptions, draws: Draws): PlannedOperation[] {
  const operations: PlannedOperation[] = [];
  if (options.tier === "micro") return drawProposals(options, draws);
  operations.push(...drawOperator(options, draws));
  const each = Math.floor(ACTIONS_MAX / options.clients);
  for (let client = 1; client <= options.clients; client += 1) {
    operations.push(...drawClient(options, draws, client, each));
  }
  return operations;
}

function drawOperator(options: RunOptions, draws: Draws): OperatorAction[] {
  const draw = draws.sequence(Stream.operations);
  const actions: OperatorAction[] = [];
  const hasMembership = draw.percent(60);
  const hasTransfers = draw.percent(50);
  const hasCompactions = draw.percent(70);
  const everyMs = draw.pick([300, 800, 2000, 6000]);
  for (let at = 0; ; ) {
    at += 2 * everyMs * draw.fraction();
    if (at >= options.safetyMs) return actions;
    const choice = draw.below(2 ** 16);
    const which = draw.below(3);
    const member = draw.pick(MEMBERSHIP);
    const tip = draw.percent(50);
    const kind = which === 0 ? member : which === 1 ? "transfer" : "compact";
    if (kind === "transfer" ? !hasTransfers : kind === "compact" && !hasCompactions) continue;
    if (which === 0 && !hasMembership) continue;
    const said = kind === "compact" && tip ? "compact-to-tip" : kind;
    actions.push({ by: "operator", at: Math.round(at), kind: said, choice });
  }
}

function drawClient(
  options: RunOptions,
  draws: Draws,
  client: number,
  count: number,
): ClientAction[] {
  const draw = draws.sequence(Stream.clients, client);
  const actions: ClientAction[] = [];
  const thinkMs = draw.pick(THINK_MS);
  const readPercent = draw.pick([20, 40, 60]);
  const hasLease = options.core.leaseMs !== undefined;
  for (let n = 1; n <= count; n += 1) {
    const id = client * 10_000 + n;
    const rest = draw.below(LONG_REST_EVERY) === 0 ? LONG_REST_MS : thinkMs;
    const isRead = draw.percent(readPercent);
    const isCas = draw.percent(25);
    const kind = isRead ? "get" : isCas ? "cas" : "put";
    actions.push({
      by: "client",
      id,
      client,
      thinkMs: Math.round(2 * rest * draw.fraction()),
      kind,
      via: draw.percent(50) && hasLease ? "lease" : "index",
      key: `k${draw.below(options.keys)}`,
      value: kind === "get" ? null : id,
      bytes: draw.pick([1, 10, 10, 80]),
      choice: draw.below(2 ** 16),
      anywhere: draw.percent(40),
    });
  }
  return actions;
}

function drawProposals(options: RunOptions, draws: Draws): PlannedOperation[] {
  const draw = draws.sequence(Stream.operations);
  const actions: PlannedOperation[] = [];
  const everyMs = draw.pick([10, 30, 60]);
  const hasCompactions = draw.percent(40);
  const compactsOneIn = draw.pick([3, 20]);
  let id = 0;
  for (let at = 0; ; ) {
    at += Math.round(1 + 2 * everyMs * draw.fraction());
    if (at >= options.safetyMs) return actions;
    id += 10;
    if (hasCompactions && draw.below(compactsOneIn) === 0) {
      const choice = draw.below(2 ** 16);
      actions.push({ by: "operator", at, kind: "compact-to-tip", choice });
    }
    actions.push({ by: "proposer", at, id, count: draw.between(1, 3), bytes: draw.below(60) });
  }
}
