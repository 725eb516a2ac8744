/**
 * A network of numbered nodes that loses, delays, repeats and reorders frames, from one seed.
 *
 * Every directed link draws from a stream of its own, four draws for every frame, so that a frame
 * more on one link, or another loss chance, does not change the fate of all later frames.
 *
 * Invariants: a frame arrives whole or not at all, at the incarnation of the node that it was sent
 * to, and only if its link stood both when it was sent and when it arrived. On ordered links no
 * frame overtakes another. Chapter: 11-simulation.
 */
import type { Bytes, Ms } from "#base";
import { mixSeeds, seededRandom } from "./seeded-random.ts";
import type { Clock, LinkBehaviour, Net, Random, SimulatedNetwork } from "./types.ts";

/** How the network is made. */
export interface SimulatedNetworkOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** What differs from a calm local network: 1 to 2 ms, nothing lost, in order. */
  readonly behaviour?: Partial<LinkBehaviour>;
}

const CALM: LinkBehaviour = {
  delayMsMin: 1,
  delayMsMax: 2,
  lossChance: 0,
  duplicateChance: 0,
  ordered: true,
};

interface Node {
  receive: ((from: number, frame: Bytes) => void) | null;
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly random: Random;
  up: boolean;
  /** When the latest frame of those in order arrives. */
  lastAt: Ms;
  /** Frames in order on their way; each due callback delivers the first. */
  readonly queue: Sent[];
}

interface Sent {
  readonly target: Node;
  readonly frame: Bytes;
}

class MemoryNetwork implements SimulatedNetwork {
  readonly #clock: Clock;
  readonly #seed: number;
  #behaviour: LinkBehaviour;
  /** The current incarnation of each node; older ones are unreachable. */
  readonly #nodes = new Map<number, Node>();
  readonly #links = new Map<string, Link>();
  #groups: readonly ReadonlySet<number>[] | null = null;
  #delivered = 0;

  constructor({ clock, seed, behaviour = {} }: SimulatedNetworkOptions) {
    this.#clock = clock;
    this.#seed = seed;
    this.#behaviour = checked({ ...CALM, ...behaviour });
  }

  get delivered(): number {
    return this.#delivered;
  }

  node(self: number): Net {
    const node: Node = { receive: null };
    this.#nodes.set(self, node);
    return {
      send: (to, parts) => {
        // A node that was restarted under the same number must not speak twice.
        if (this.#nodes.get(self) === node) this.#send(this.#link(self, to), parts);
      },
      onFrame: (receive) => {
        node.receive = receive;
      },
    };
  }

  setLink(from: number, to: number, up: boolean): void {
    this.#link(from, to).up = up;
  }

  partition(groups: readonly (readonly number[])[]): void {
    this.#groups = groups.map((group) => new Set(group));
  }

  heal(): void {
    this.#groups = null;
    for (const link of this.#links.values()) link.up = true;
  }

  setBehaviour(behaviour: Partial<LinkBehaviour>): void {
    this.#behaviour = checked({ ...this.#behaviour, ...behaviour });
  }

  #send(link: Link, parts: readonly Bytes[]): void {
    const { lossChance, duplicateChance } = this.#behaviour;
    const lost = link.random.fraction() < lossChance;
    const repeated = link.random.fraction() < duplicateChance;
    const delayMs = this.#drawDelay(link);
    const repeatDelayMs = this.#drawDelay(link);
    const target = this.#nodes.get(link.to);
    if (lost || target === undefined || !this.#stands(link)) return;
    const frame = joined(parts);
    this.#schedule(link, { target, frame }, delayMs);
    if (repeated) this.#schedule(link, { target, frame: frame.slice() }, repeatDelayMs);
  }

  #schedule(link: Link, sent: Sent, delayMs: Ms): void {
    if (!this.#behaviour.ordered) {
      this.#clock.after(delayMs, () => this.#deliver(link, sent));
      return;
    }
    const now = this.#clock.now();
    link.lastAt = Math.max(now + delayMs, link.lastAt);
    link.queue.push(sent);
    // Times are fractions and round: two callbacks for one moment may run in the wrong order, so
    // they do not know which frame they are for.
    this.#clock.after(link.lastAt - now, () => {
      const first = link.queue.shift();
      if (first !== undefined) this.#deliver(link, first);
    });
  }

  #deliver(link: Link, { target, frame }: Sent): void {
    if (this.#nodes.get(link.to) !== target || !this.#stands(link)) return;
    if (target.receive === null) return;
    this.#delivered += 1;
    target.receive(link.from, frame);
  }

  #drawDelay(link: Link): Ms {
    const { delayMsMin, delayMsMax } = this.#behaviour;
    return delayMsMin + link.random.fraction() * (delayMsMax - delayMsMin);
  }

  #stands({ from, to, up }: Link): boolean {
    if (!up) return false;
    if (this.#groups === null || from === to) return true;
    return this.#groups.some((group) => group.has(from) && group.has(to));
  }

  #link(from: number, to: number): Link {
    const key = `${from} ${to}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      const random = seededRandom(mixSeeds(this.#seed, from, to));
      link = { from, to, random, up: true, lastAt: 0, queue: [] };
      this.#links.set(key, link);
    }
    return link;
  }
}

/** Makes a network in which every node reaches every other. */
export function createSimulatedNetwork(options: SimulatedNetworkOptions): SimulatedNetwork {
  return new MemoryNetwork(options);
}

/** The parts as one frame, in a fresh array. */
function joined(parts: readonly Bytes[]): Bytes {
  const frame = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}

function checked(behaviour: LinkBehaviour): LinkBehaviour {
  const { delayMsMin, delayMsMax, lossChance, duplicateChance } = behaviour;
  if (!(delayMsMin >= 0 && delayMsMin <= delayMsMax)) {
    throw new RangeError(`platform: link delay from ${delayMsMin} to ${delayMsMax} ms`);
  }
  for (const chance of [lossChance, duplicateChance]) {
    if (!(chance >= 0 && chance <= 1)) throw new RangeError(`platform: link chance ${chance}`);
  }
  return behaviour;
}
