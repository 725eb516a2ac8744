/**
 * The dependency graph of a history, and a cycle in it. Support for the tests.
 *
 * One transaction comes before another if that one overwrote what it wrote (ww), read what it wrote
 * (wr), or overwrote what it read (rw). A history is serializable if, and only if, its graph has no
 * cycle. Source: Adya, "Weak Consistency" (1999), chapter 3.
 */
import type { Committed } from "./histories.ts";

/** One dependency, in words. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** The dependencies between committed transactions. Versions are in the order of timestamps. */
export function dependencies(committed: readonly Committed[]): Edge[] {
  const edges: Edge[] = [];
  const add = (from: number, to: number, why: string): void => {
    if (from !== to && from !== 0 && to !== 0) edges.push({ from, to, why });
  };
  const writers = new Map<string, number[]>();
  for (const { id, writes } of [...committed].sort((a, b) => a.timestamp - b.timestamp)) {
    for (const key of writes) {
      const before = writers.get(key) ?? [0];
      add(before.at(-1)!, id, `ww ${key}`);
      writers.set(key, [...before, id]);
    }
  }
  for (const { id, reads } of committed) {
    for (const [key, writer] of reads) {
      add(writer, id, `wr ${key}`);
      const versions = writers.get(key) ?? [0];
      const next = versions[versions.indexOf(writer) + 1];
      if (next !== undefined) add(id, next, `rw ${key}`);
    }
  }
  return edges;
}

/** A cycle, as edges one behind the other; null if there is none. */
export function findCycle(edges: readonly Edge[]): Edge[] | null {
  const out = new Map<number, Edge[]>();
  for (const edge of edges) out.set(edge.from, [...(out.get(edge.from) ?? []), edge]);
  const done = new Set<number>();
  const path: Edge[] = [];
  const onPath = new Set<number>();
  const visit = (node: number): Edge[] | null => {
    if (done.has(node)) return null;
    onPath.add(node);
    for (const edge of out.get(node) ?? []) {
      path.push(edge);
      if (onPath.has(edge.to)) return path.slice(path.findIndex(({ from }) => from === edge.to));
      const cycle = visit(edge.to);
      if (cycle !== null) return cycle;
      path.pop();
    }
    onPath.delete(node);
    done.add(node);
    return null;
  };
  for (const node of out.keys()) {
    const cycle = visit(node);
    if (cycle !== null) return cycle;
  }
  return null;
}

/** A cycle on one line: `3 -rw x-> 5 -rw y-> 3`. */
export function cycleText(cycle: readonly Edge[]): string {
  const steps = cycle.map(({ why, to }) => ` -${why}-> ${to}`);
  return `${cycle[0]?.from ?? ""}${steps.join("")}`;
}
