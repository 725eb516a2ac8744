/**
 * Makes the planned faults happen, and undoes them.
 *
 * Invariant: what is committed survives: a disk is lost for good only if, without it, every
 * configuration that may be in force still has a quorum of disks. Chapter: 11-simulation.
 */
import type { NodeId, VoterSets } from "#raft/types";
import { isQuorum } from "../invariants/index.ts";
import { mixHash } from "../process/index.ts";
import type { EventQueue } from "./event-queue.ts";
import { type Host, MS } from "./host.ts";
import type { Network } from "./network.ts";
import type { Fault, PartitionShape } from "./types.ts";

type Link = readonly [NodeId, NodeId];
type FaultOf<Kind extends Fault["kind"]> = Extract<Fault, { kind: Kind }>;

/** What the injector works on. */
export interface InjectorWorld {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly hosts: ReadonlyMap<NodeId, Host>;
  readonly isCalm: boolean;
  leader(): Host | undefined;
}

/** See the file's header. */
export class Injector {
  readonly #world: InjectorWorld;
  /** Faults in force, for reports. */
  readonly inForce = new Set<Fault>();

  constructor(world: InjectorWorld) {
    this.#world = world;
  }

  /** Puts the faults into the queue. @param fromMicros - the time that `at` counts from. */
  schedule(faults: readonly Fault[], fromMicros: number): void {
    for (const fault of faults) {
      this.#world.queue.at(fromMicros + fault.at * MS, () => {
        if (!this.#world.isCalm) this.#begin(fault);
      });
    }
  }

  #begin(fault: Fault): void {
    const host = "node" in fault ? this.#hostOf(fault.node) : undefined;
    const until = this.#world.queue.now + ("forMs" in fault ? fault.forMs : 0) * MS;
    switch (fault.kind) {
      case "crash":
        this.#crash(fault, host);
        break;
      case "fail-sync":
        if (host !== undefined) host.failNextSync = () => this.#crash(fault, host);
        break;
      case "pause":
        this.#pause(fault, host);
        break;
      case "wipe":
        if (host !== undefined && this.#mayWipe(host.id)) host.lose();
        break;
      case "partition":
        this.#partition(fault);
        break;
      case "clog":
        this.#world.network.clog(fault.from, fault.to, until);
        break;
      case "weather":
        this.#world.network.addWeather(fault);
        this.#end(fault, () => this.#world.network.removeWeather(fault));
        break;
      case "break":
        if (host !== undefined) this.#breakSome(host.id, fault.at);
        break;
      case "slow-disk":
        if (host !== undefined) host.diskSlowUntil = until;
        if (host !== undefined) host.slowSyncMs = fault.syncMs;
        break;
      case "hang-disk":
        if (host?.isUp === true) host.hangDisk(until);
        break;
      case "slow-apply":
        if (host !== undefined) host.machineStandsUntil = until;
        break;
    }
    if ("forMs" in fault) this.#end(fault, () => undefined);
  }

  #hostOf(node: NodeId): Host | undefined {
    return node === 0 ? this.#world.leader() : this.#world.hosts.get(node);
  }

  #end(fault: Fault & { forMs: number }, undo: () => void): void {
    this.inForce.add(fault);
    this.#world.queue.after(fault.forMs * MS, () => {
      this.inForce.delete(fault);
      if (!this.#world.isCalm) undo();
    });
  }

  #crash(fault: FaultOf<"crash" | "fail-sync">, host: Host | undefined): void {
    if (host === undefined || !host.isUp) return;
    host.crash(fault.kept);
    this.#world.queue.after(fault.forMs * MS, () => host.start());
  }

  #pause(fault: FaultOf<"pause">, host: Host | undefined): void {
    if (host === undefined || !host.isUp || host.isPaused) return;
    host.pause(fault.losesMail);
    this.#world.queue.after(fault.forMs * MS, () => host.resume(fault));
  }

  #partition(fault: FaultOf<"partition">): void {
    const nodes = [...this.#world.hosts.keys()];
    const leader = this.#world.leader()?.id;
    const isLeader = fault.shape === "leader" && leader !== undefined;
    const shape = fault.shape === "leader" ? "isolate" : fault.shape;
    const links = linksOf(shape, isLeader ? nodes.indexOf(leader) : fault.choice, nodes);
    this.#world.network.cut(links);
    this.#end(fault, () => this.#world.network.join(links));
  }

  #breakSome(node: NodeId, at: number): void {
    for (const other of this.#world.hosts.keys()) {
      if (other !== node && (at + other) % 2 === 0) this.#world.network.breakLink(node, other);
    }
  }

  #mayWipe(node: NodeId): boolean {
    const { hosts } = this.#world;
    const has = (id: NodeId): boolean => id !== node && hosts.get(id)?.isGone === false;
    for (const host of hosts.values()) {
      if (host.isGone) continue;
      const { log, disk } = host.node;
      for (const { sets } of [...configurationsOf(log), ...configurationsOf(disk.log)]) {
        if (sets.voters.length > 0 && !isQuorum(sets, has)) return false;
      }
    }
    return true;
  }
}

function configurationsOf(log: Host["node"]["log"]): readonly { readonly sets: VoterSets }[] {
  return [log.base.configuration, ...log.configurations];
}

/** The links that a partition cuts. */
export function linksOf(
  shape: Exclude<PartitionShape, "leader">,
  choice: number,
  nodes: readonly NodeId[],
): Link[] {
  const count = nodes.length;
  const place = (node: NodeId): number => nodes.indexOf(node);
  const chosen = choice % count;
  const side = (node: NodeId): number => (choice >> place(node)) & 1;
  const links: Link[] = [];
  for (const from of nodes) {
    for (const to of nodes) {
      if (from !== to && isCut(place(from), place(to), from, to)) links.push([from, to]);
    }
  }
  return links;

  function isCut(a: number, b: number, from: NodeId, to: NodeId): boolean {
    switch (shape) {
      case "isolate":
        return a === chosen || b === chosen;
      case "one-way":
        return (choice & 1024) > 0 ? a === chosen : b === chosen;
      case "split":
        return side(from) !== side(to);
      case "ring": {
        const apart = Math.abs(a - b);
        return apart !== 1 && apart !== count - 1;
      }
      case "bridge":
        // Two sides that hear each other only through one node.
        return a !== chosen && b !== chosen && side(from) !== side(to);
      case "random":
        return mixHash(mixHash(choice + 1, a + 1), b + 1) % 4 === 0;
    }
  }
}
