/**
 * Carries out the faults of a plan, and undoes them.
 *
 * Invariant: after `heal` nothing is planned for any disk, link or process.
 * Chapter: 11-simulation.
 */
import type { MembershipChange } from "#replica/types";
import type { RealCluster } from "./cluster.ts";
import type { RealNode } from "./node.ts";
import type { RealFault } from "./types.ts";

/** `amount` of a fault is below this. */
const AMOUNTS = 1000;
/** Disk operations until a planned error or power cut comes, at most. */
const OPERATIONS_MAX = 40;
const LOSS_MAX = 0.3;
const DUPLICATES_MAX = 0.1;
const DELAY_MS_MAX = 60;
const SLOW_MS_MAX = 400;
const SLOW_SYNCS = 30;
const TRANSFER_MS = 300;
/** Members that are ever added. */
const NEWCOMERS_MAX = 3;

const CALM = { lossChance: 0, duplicateChance: 0, delayMsMin: 1, delayMsMax: 2, ordered: true };

/** See the file's header. */
export class Injector {
  readonly #cluster: RealCluster;
  /** What operators asked, and how often it was done. */
  readonly done: Record<string, number> = {};
  #newcomers = 0;
  #isHealed = false;

  constructor(cluster: RealCluster) {
    this.#cluster = cluster;
  }

  schedule(faults: readonly RealFault[]): void {
    for (const fault of faults) {
      this.#cluster.clock.after(fault.at, () => {
        if (!this.#isHealed) this.#begin(fault);
      });
    }
  }

  /** Everything works again, and all nodes run. */
  heal(): void {
    this.#isHealed = true;
    const { network, nodes } = this.#cluster;
    network.heal();
    network.setBehaviour(CALM);
    this.#cluster.restartMs = 1;
    for (const node of nodes) {
      node.gate.resume();
      node.disk.releaseHung();
      // A new process is rid of what was planned for the old one's disk.
      node.cutPowerAfter(Number.POSITIVE_INFINITY);
      if (node.hasPlans || node.state === "stopping") {
        if (node.state === "down") node.disk = node.disk.kill();
        else node.die("kill");
      }
      node.start();
    }
  }

  #begin(fault: RealFault): void {
    const cluster = this.#cluster;
    const node = this.#targetOf(fault);
    if (node === undefined) return;
    const { kind, forMs, amount } = fault;
    cluster.note(`fault ${kind} at node ${node.number} for ${forMs} ms, amount ${amount}`);
    this.#count(kind);
    switch (kind) {
      case "power":
        return this.#kill([node], "power", forMs);
      case "kill":
        return this.#kill([node], "kill", forMs);
      case "blackout":
        return this.#kill(cluster.nodes, "power", forMs);
      case "stop":
        cluster.restartMs = forMs;
        return void node.stop(TRANSFER_MS);
      case "pause":
        node.gate.pause();
        return this.#later(forMs, () => node.gate.resume());
      case "cut":
        node.cutPowerAfter(amount % OPERATIONS_MAX);
        cluster.restartMs = forMs;
        return;
      case "isolate":
      case "one-way":
      case "network":
        return this.#network(fault, node);
      case "sync-error":
      case "write-error":
      case "disk-full":
      case "hang":
      case "slow":
        return this.#disk(fault, node);
      default:
        return this.#operate(fault, node);
    }
  }

  #targetOf({ target }: RealFault): RealNode | undefined {
    const { nodes } = this.#cluster;
    if (target === "leader") return this.#cluster.leader() ?? nodes[0];
    return nodes[target % nodes.length];
  }

  #count(kind: string): void {
    this.done[kind] = (this.done[kind] ?? 0) + 1;
  }

  #later(ms: number, undo: () => void): void {
    this.#cluster.clock.after(ms, () => {
      if (!this.#isHealed) undo();
    });
  }

  #kill(nodes: readonly RealNode[], how: "kill" | "power", forMs: number): void {
    this.#cluster.restartMs = forMs;
    for (const node of nodes) node.die(how);
  }

  #network({ kind, amount, forMs }: RealFault, node: RealNode): void {
    const { network, nodes } = this.#cluster;
    const { number } = node;
    if (kind === "network") {
      const part = amount / AMOUNTS;
      network.setBehaviour({
        ...{ lossChance: LOSS_MAX * part, delayMsMax: 2 + DELAY_MS_MAX * part },
        duplicateChance: DUPLICATES_MAX * part,
      });
      return this.#later(forMs, () => network.setBehaviour(CALM));
    }
    const isBoth = kind === "isolate";
    for (const { number: other } of nodes) {
      if (other === number) continue;
      if (isBoth || amount % 2 === 0) network.setLink(number, other, false);
      if (isBoth || amount % 2 === 1) network.setLink(other, number, false);
    }
    this.#later(forMs, () => {
      for (const { number: other } of nodes) {
        network.setLink(number, other, true);
        network.setLink(other, number, true);
      }
    });
  }

  #disk({ kind, amount, forMs }: RealFault, node: RealNode): void {
    const { disk } = node;
    const after = amount % OPERATIONS_MAX;
    node.hasPlans = true;
    if (kind === "hang") {
      disk.plan({ operation: "sync", fault: "hang", after: 0, times: 1 + (amount % 2) });
      return this.#later(forMs, () => disk.releaseHung());
    }
    if (kind === "slow") {
      const delayMs = 1 + (SLOW_MS_MAX * amount) / AMOUNTS;
      return disk.plan({ operation: "sync", fault: "slow", delayMs, after: 0, times: SLOW_SYNCS });
    }
    node.isDoomed = true;
    this.#cluster.restartMs = forMs;
    if (kind === "sync-error") disk.plan({ operation: "sync", fault: "EIO", after });
    else {
      const fault = kind === "disk-full" ? "ENOSPC" : "EIO";
      disk.plan({ operation: "write", fault, after, times: kind === "disk-full" ? 3 : 1 });
    }
  }

  /** What an operator asks of the leader. Whether it works out is no promise. */
  #operate({ kind }: RealFault, node: RealNode): void {
    const replica = this.#cluster.leader()?.replica;
    if (replica === undefined) return;
    const ended = (work: Promise<unknown>): void => {
      const done = (): void => {
        this.#cluster.note(`operator: ${kind} is done`);
        this.#count(`${kind} done`);
      };
      work.then(done, (error: unknown) => {
        this.#cluster.note(`operator: ${kind}: ${error instanceof Error ? error.message : "?"}`);
      });
    };
    if (kind === "transfer") return ended(replica.transfer(0));
    if (kind === "digest") return ended(replica.checkDigest());
    const change = this.#changeOf(kind, node);
    if (change !== undefined) ended(replica.change(change));
  }

  #changeOf(kind: RealFault["kind"], node: RealNode): MembershipChange | undefined {
    const { members = [] } = node.replica?.configuration ?? {};
    const id = members.find(({ number }) => number === node.number)?.id ?? `n${node.number}`;
    if (kind === "remove") return { kind: "remove", id };
    if (kind === "demote") return { kind: "setRole", id, role: "learner" };
    if (kind === "promote") return { kind: "setRole", id, role: "voter" };
    if (this.#newcomers === NEWCOMERS_MAX) return undefined;
    this.#newcomers += 1;
    const name = `x${this.#newcomers}`;
    const member = { id: name, address: `h:${name}`, incarnation: name };
    return { kind: "add", member, voter: true };
  }
}
