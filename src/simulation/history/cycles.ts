/**
 * Cycles among dependencies: transactions of which each must come before the next, and so before
 * itself.
 *
 * The kinds of Adya, worst first. A cycle through fewer kinds of dependency breaks weaker promises,
 * so the search begins with writes alone and adds one kind after the other. Within one kind a short
 * cycle is given, the shortest unless there are very many. Sources: Adya, "Weak Consistency"
 * (1999), section 4.2; Tarjan, "Depth-First Search and Linear Graph Algorithms" (1972).
 * Chapter: 11-simulation.
 */
import type { Dependency, DependencyKind } from "./types.ts";

/** A cycle, as dependencies one behind the other, and the name of its kind. */
export interface Cycle {
  readonly rule: string;
  readonly edges: readonly Dependency[];
}

/** Dependencies looked at for each kind: enough for a short cycle, never for long. */
const LOOKED_AT_MAX = 2_000_000;

interface CycleKind {
  readonly rule: string;
  readonly kinds: readonly DependencyKind[];
  /** At most one dependency of this kind. */
  readonly single?: DependencyKind;
}

const PLAIN: readonly CycleKind[] = [
  { rule: "G0", kinds: ["ww"] },
  { rule: "G1c", kinds: ["ww", "wr"] },
  { rule: "G-single", kinds: ["ww", "wr"], single: "rw" },
  { rule: "G2", kinds: ["ww", "wr", "rw"] },
];
const WITH_TIME: readonly CycleKind[] = PLAIN.map(({ rule, kinds, ...rest }) => ({
  ...rest,
  rule: `${rule} in real time`,
  kinds: [...kinds, "rt"],
}));

/** A short cycle of the worst kind; undefined if there is no cycle. */
export function findCycle(edges: readonly Dependency[]): Cycle | undefined {
  const whole = knotNumbers(outOf(edges));
  if (whole.size === 0) return undefined;
  for (const { rule, kinds, single } of [...PLAIN, ...WITH_TIME]) {
    const allowed = edges.filter(({ kind }) => kinds.includes(kind));
    const out = outOf(allowed);
    const found =
      single === undefined
        ? shortestThrough(allowed, out, knotNumbers(out))
        : shortestThrough(
            edges.filter(({ kind }) => kind === single),
            out,
            whole,
          );
    if (found !== undefined) return { rule, edges: found };
  }
  return undefined;
}

type Out = ReadonlyMap<number, readonly Dependency[]>;

function outOf(edges: readonly Dependency[]): Out {
  const out = new Map<number, Dependency[]>();
  for (const edge of edges) {
    const list = out.get(edge.from);
    if (list === undefined) out.set(edge.from, [edge]);
    else list.push(edge);
  }
  return out;
}

/** The shortest cycle of one closing edge and a path back, among those that were tried. */
function shortestThrough(
  closing: readonly Dependency[],
  out: Out,
  knots: ReadonlyMap<number, number>,
): readonly Dependency[] | undefined {
  const isInKnot = ({ from, to }: Dependency): boolean =>
    knots.has(from) && knots.get(from) === knots.get(to);
  // Every cycle goes back somewhere, and most dependencies go forward in the history: those that
  // go back the farthest are tried first.
  const sorted = closing
    .filter(isInKnot)
    .sort((left, right) => left.to - left.from - (right.to - right.from));
  let best: readonly Dependency[] | undefined;
  let left = LOOKED_AT_MAX;
  for (const edge of sorted) {
    const { path, lookedAt } = pathBetween(out, edge.to, edge.from, knots);
    if (path !== undefined && path.length + 1 < (best?.length ?? Infinity)) best = [edge, ...path];
    left -= lookedAt;
    if (best?.length === 2 || (left <= 0 && best !== undefined)) break;
  }
  return best;
}

/** The shortest path of one edge or more that stays in the knot. */
function pathBetween(
  out: Out,
  from: number,
  to: number,
  knots: ReadonlyMap<number, number>,
): { readonly path: readonly Dependency[] | undefined; readonly lookedAt: number } {
  const knot = knots.get(from);
  const by = new Map<number, Dependency>();
  const queue = [from];
  let lookedAt = 0;
  for (const node of queue) {
    for (const edge of out.get(node) ?? []) {
      lookedAt += 1;
      if (by.has(edge.to) || knots.get(edge.to) !== knot) continue;
      by.set(edge.to, edge);
      if (edge.to === to) return { path: walkBack(by, from, to), lookedAt };
      queue.push(edge.to);
    }
  }
  return { path: undefined, lookedAt };
}

function walkBack(by: ReadonlyMap<number, Dependency>, from: number, to: number): Dependency[] {
  const path: Dependency[] = [];
  let node = to;
  do {
    const edge = by.get(node)!;
    path.unshift(edge);
    node = edge.from;
  } while (node !== from);
  return path;
}

/** By transaction: the number of its knot, if it is in one. */
function knotNumbers(out: Out): Map<number, number> {
  return new Map(knotsOf(out).flatMap((knot, number) => knot.map((node) => [node, number])));
}

/** Sets of transactions, two or more, that all reach each other (Tarjan, without recursion). */
function knotsOf(out: Out): number[][] {
  const knots: number[][] = [];
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const enter = (node: number): { node: number; next: number } => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    onStack.add(node);
    return { node, next: 0 };
  };
  const lower = (node: number, value: number): void => {
    low.set(node, Math.min(low.get(node)!, value));
  };
  const leave = (node: number): void => {
    if (low.get(node) !== order.get(node)) return;
    const knot = stack.splice(stack.lastIndexOf(node));
    for (const member of knot) onStack.delete(member);
    if (knot.length > 1) knots.push(knot);
  };
  for (const root of out.keys()) {
    if (order.has(root)) continue;
    const path = [enter(root)];
    while (path.length > 0) {
      const top = path.at(-1)!;
      const edge = out.get(top.node)?.[top.next];
      top.next += 1;
      if (edge === undefined) {
        path.pop();
        leave(top.node);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, low.get(top.node)!);
      } else if (!order.has(edge.to)) {
        path.push(enter(edge.to));
      } else if (onStack.has(edge.to)) {
        lower(top.node, order.get(edge.to)!);
      }
    }
  }
  return knots;
}
