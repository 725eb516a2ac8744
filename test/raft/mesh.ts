/**
 * Virtual time over a cluster whose links can be cut one way or both: everything that is sent
 * over a whole link arrives at once, every write is synced at once.
 */
import type { Ms } from "#base";
import type { NodeId } from "#raft";
import type { Cluster } from "./cluster.ts";

export class Mesh {
  readonly #cluster: Cluster;
  readonly #cut = new Set<string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  cut(from: NodeId, to: NodeId): void {
    this.#cut.add(`${from}/${to}`);
  }

  cutBoth(a: NodeId, b: NodeId): void {
    this.cut(a, b);
    this.cut(b, a);
  }

  isolate(id: NodeId): void {
    for (const node of this.#cluster.nodes) if (node.id !== id) this.cutBoth(id, node.id);
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Lets time pass, from one deadline to the next. */
  run(ms: Ms): void {
    const cluster = this.#cluster;
    const until = cluster.now + ms;
    this.#settle();
    for (;;) {
      const deadlines = cluster.nodes.map(({ core }) => core?.deadline ?? until);
      const next = Math.min(...deadlines);
      if (next >= until) break;
      cluster.pass(Math.max(0, next - cluster.now));
      this.#settle();
    }
    cluster.pass(until - cluster.now);
  }

  #settle(): void {
    const cluster = this.#cluster;
    for (;;) {
      cluster.drop(({ from, to }) => this.#cut.has(`${from}/${to}`));
      const busy = cluster.nodes.some(({ writes }) => writes.length > 0);
      if (!busy && cluster.packets.length === 0) return;
      cluster.sync();
      cluster.deliver();
    }
  }
}
