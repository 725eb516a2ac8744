/**
 * Knows how the nodes of a cluster are, by asking each of them again and again.
 *
 * Invariant: what is shown of a node comes from the process that was started for it: an answer from
 * another process on the same port does not count.
 */
import type { NodeView } from "./live-view.ts";
import { askStatus, type NodeFacts } from "./node-client.ts";
import type { NodeProcess } from "./node-process.ts";

/** A child and where it listens. */
export interface WatchedNode {
  readonly process: NodeProcess;
  readonly url: string;
}

/** The nodes, as they were when last asked. */
export interface ClusterWatch {
  readonly views: readonly NodeView[];
  /** Asks all nodes at once; takes as long as the slowest answer. */
  refresh(): Promise<void>;
}

class PollingWatch implements ClusterWatch {
  readonly #nodes: readonly WatchedNode[];
  /** Nodes that were down after they had been up, with what they must apply to be back. */
  readonly #recovering = new Map<string, number | undefined>();
  readonly #wasUp = new Set<string>();
  /** Which process of a node has answered, by its number. */
  readonly #answered = new Map<string, number>();
  views: readonly NodeView[] = [];

  constructor(nodes: readonly WatchedNode[]) {
    this.#nodes = nodes;
    this.views = nodes.map((node) => this.#view(node, undefined));
  }

  async refresh(): Promise<void> {
    const facts = await Promise.all(
      this.#nodes.map(async ({ process, url }) => {
        const pid = process.pid;
        if (pid === undefined) return undefined;
        const answer = await askStatus(url);
        return answer?.pid === pid && process.pid === pid ? answer : undefined;
      }),
    );
    const leader = facts.find((one) => one?.role === "leader");
    for (const [index, { process }] of this.#nodes.entries()) {
      this.#follow(process, facts[index], leader);
    }
    this.views = this.#nodes.map((node, index) => this.#view(node, facts[index]));
  }

  #follow(process: NodeProcess, facts: NodeFacts | undefined, leader: NodeFacts | undefined): void {
    const { id } = process;
    if (facts === undefined) {
      if (process.phase !== "running" && this.#wasUp.has(id)) this.#recovering.set(id, undefined);
      return;
    }
    process.confirm();
    this.#wasUp.add(id);
    this.#answered.set(id, facts.pid);
    if (!this.#recovering.has(id)) return;
    const target = this.#recovering.get(id) ?? leader?.commit;
    this.#recovering.set(id, target);
    if (target !== undefined && facts.applied >= target) this.#recovering.delete(id);
  }

  #view({ process, url }: WatchedNode, facts: NodeFacts | undefined): NodeView {
    const hasAnswered = this.#answered.get(process.id) === process.pid;
    const running = process.pid !== undefined && hasAnswered ? "silent" : "starting";
    const waiting = process.phase === "running" ? running : "down";
    return {
      id: process.id,
      url,
      pid: process.pid,
      phase: facts !== undefined ? "up" : process.phase === "failed" ? "failed" : waiting,
      role: facts?.role ?? "",
      term: facts?.term ?? 0,
      commit: facts?.commit ?? 0,
      applied: facts?.applied ?? 0,
      recovering: this.#recovering.has(process.id),
    };
  }
}

/** Nothing is asked before the first `refresh`. */
export function watchCluster(nodes: readonly WatchedNode[]): ClusterWatch {
  return new PollingWatch(nodes);
}
