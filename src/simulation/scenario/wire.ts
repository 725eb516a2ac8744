/**
 * Everything that was sent and has not arrived: on the wire, kept aside by name, or cut off.
 *
 * Nothing arrives by itself. A command picks packets by link, kind and place; time picks those
 * that are due. Links can be cut one way, and can be slow or lossy for as long as time runs by
 * itself. Invariant: a packet over a cut link is lost when it is sent; those under way when a link
 * is cut are lost then. Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { NodeId } from "#raft/types";
import type { Packet } from "../process/index.ts";
import type { Link } from "./arguments.ts";
import { draw } from "./draw.ts";
import { type MessageName, nameOf } from "./message-text.ts";

/** A packet under way. `dueAt` matters only while time runs by itself. */
export interface Sent {
  readonly packet: Packet;
  readonly dueAt: Ms;
}

/** What a command picks. */
export interface Selection {
  readonly links: readonly Link[] | undefined;
  readonly kind: MessageName | undefined;
  /** `next`: the oldest; `last`: the newest. */
  readonly which: "all" | "next" | "last";
}

/** How links behave while time runs by itself. Percentages, and milliseconds. */
export interface Weather {
  readonly loss: number;
  readonly duplicate: number;
  readonly delay: Ms;
  /** Up to so much more delay for each packet: packets overtake each other. */
  readonly jitter: Ms;
  readonly seed: number;
}

export const FAIR_WEATHER: Weather = { loss: 0, duplicate: 0, delay: 0, jitter: 0, seed: 1 };

function isOn({ from, to }: Packet, link: Link): boolean {
  if (link.from !== undefined && link.from !== from) return false;
  return link.to === undefined || link.to === to;
}

/** Streams of chance that the weather draws from. */
const LOSS = 1;
const DUPLICATE = 2;
const JITTER = 3;

export class Wire {
  #waiting: Sent[] = [];
  readonly #aside = new Map<string, Packet[]>();
  readonly #cut = new Set<string>();
  readonly #clogged = new Set<string>();
  /** Packets ever sent, by link and kind; `refusal`: an append reply that says no. */
  readonly counts = new Map<string, number>();
  weather: Weather = FAIR_WEATHER;
  #posted = 0;

  get waiting(): readonly Sent[] {
    return this.#waiting;
  }

  /** Puts a packet on the wire. Tells what became of it. */
  post(packet: Packet, now: Ms): "sent" | "lost" {
    const { from, to } = packet;
    const { message } = packet;
    this.#count(`${from}->${to} ${nameOf(message)}`);
    if (message.kind === "appendReply" && !message.ok) this.#count(`${from}->${to} refusal`);
    if (this.isCut(from, to)) return "lost";
    this.#posted += 1;
    const { loss, duplicate, seed } = this.weather;
    const chance = (stream: number): number => 100 * draw(seed, stream, this.#posted);
    if (chance(LOSS) < loss) return "lost";
    this.#waiting.push({ packet, dueAt: this.#dueAt(now, 0) });
    if (chance(DUPLICATE) < duplicate) {
      this.#waiting.push({ packet, dueAt: this.#dueAt(now, 1) });
    }
    return "sent";
  }

  #count(key: string): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  #dueAt(now: Ms, copy: number): Ms {
    const { delay, jitter, seed } = this.weather;
    if (jitter === 0) return now + delay;
    return now + delay + Math.floor(jitter * draw(seed, JITTER + copy, this.#posted));
  }

  /** Picks packets; takes them off the wire unless `copy`. */
  take(selection: Selection, copy = false): Packet[] {
    const fits = this.#waiting.filter(({ packet }) => matches(packet, selection));
    const picked = pick(fits, selection.which);
    if (!copy) this.#remove(picked);
    return picked.map(({ packet }) => packet);
  }

  /** Takes everything that is due and not clogged, the earliest first. */
  takeDue(now: Ms): Packet[] {
    const due = this.#waiting.filter(
      ({ packet, dueAt }) => dueAt <= now && !this.#isClogged(packet),
    );
    this.#remove(due);
    // Sorting is stable: what is due together arrives in the order sent.
    return due.sort((a, b) => a.dueAt - b.dueAt).map(({ packet }) => packet);
  }

  /** When the next packet is due, if any is. */
  get nextDueAt(): Ms | undefined {
    let next: Ms | undefined;
    for (const { packet, dueAt } of this.#waiting) {
      if (!this.#isClogged(packet) && (next === undefined || dueAt < next)) next = dueAt;
    }
    return next;
  }

  keepAside(name: string, packets: readonly Packet[]): void {
    this.#aside.set(name, [...(this.#aside.get(name) ?? []), ...packets]);
  }

  /** What was kept under a name; undefined: there is no such name. */
  kept(name: string): readonly Packet[] | undefined {
    return this.#aside.get(name);
  }

  forget(name: string): void {
    this.#aside.delete(name);
  }

  /** Cuts a link one way. Returns what was under way on it. */
  cut(from: NodeId, to: NodeId): Packet[] {
    this.#cut.add(`${from}/${to}`);
    return this.take({ links: [{ from, to }], kind: undefined, which: "all" });
  }

  mend(from: NodeId, to: NodeId): void {
    this.#cut.delete(`${from}/${to}`);
    this.#clogged.delete(`${from}/${to}`);
  }

  /** A clogged link holds everything back until it is mended. */
  clog(from: NodeId, to: NodeId): void {
    this.#clogged.add(`${from}/${to}`);
  }

  isCut(from: NodeId, to: NodeId): boolean {
    return this.#cut.has(`${from}/${to}`);
  }

  #isClogged({ from, to }: Packet): boolean {
    return this.#clogged.has(`${from}/${to}`);
  }

  #remove(picked: readonly Sent[]): void {
    if (picked.length === 0) return;
    const gone = new Set(picked);
    this.#waiting = this.#waiting.filter((sent) => !gone.has(sent));
  }
}

function matches(packet: Packet, { links, kind }: Selection): boolean {
  if (links !== undefined && !links.some((link) => isOn(packet, link))) return false;
  if (kind === undefined) return true;
  const name = nameOf(packet.message);
  return name === kind;
}

function pick(fits: readonly Sent[], which: Selection["which"]): Sent[] {
  if (which === "all") return [...fits];
  const one = which === "next" ? fits[0] : fits.at(-1);
  return one === undefined ? [] : [one];
}
