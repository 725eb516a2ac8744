/**
 * The network between nodes: it delays, loses, doubles, reorders and holds back, and it parts.
 *
 * Two personalities. As datagrams each packet travels for itself. As a stream packets of a link
 * arrive in order, and when a connection breaks all that is under way is lost and the sender is
 * told: what TCP does. Invariant: a packet arrives as it was sent, or not at all, save for chunks
 * that are marked as damaged. Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";
import type { Packet } from "../process/index.ts";
import { type Draws, Stream } from "./draws.ts";
import type { EventQueue } from "./event-queue.ts";
import { type Host, MS } from "./host.ts";
import type { NetSettings } from "./types.ts";

/** Above the largest number of a node. */
const NODES_MAX = 32;
/** A stream does not lose packets one by one: the loss of datagrams is divided by this. */
const STREAM_LOSS_DIVISOR = 100;
/** A sender learns of a broken connection after so long. */
const NOTICE_MS = 3;
/** While it is calm, packets take this at least, and up to so much more. */
const CALM_MIN_MS = 0.3;
const CALM_MORE_MS = 0.5;

/** What is worse than usual, for a while. */
export type Weather = Pick<NetSettings, "lossPercent" | "doublePercent" | "latePercent" | "lateMs">;

/** See the file's header. */
export class Network {
  readonly #queue: EventQueue;
  readonly #draws: Draws;
  readonly #settings: NetSettings;
  readonly #hosts: ReadonlyMap<NodeId, Host>;
  readonly #sent = new Uint32Array(NODES_MAX * NODES_MAX);
  /** How many partitions cut a link. */
  readonly #cuts = new Uint8Array(NODES_MAX * NODES_MAX);
  readonly #clogs = new Float64Array(NODES_MAX * NODES_MAX);
  readonly #lastAt = new Float64Array(NODES_MAX * NODES_MAX);
  /** Connections so far of a link. */
  readonly #connection = new Uint32Array(NODES_MAX * NODES_MAX);
  readonly #noticing = new Uint8Array(NODES_MAX * NODES_MAX);
  readonly #weather: Weather[] = [];
  readonly #isStream: boolean;
  isCalm = false;
  packets = 0;

  constructor(parts: {
    readonly queue: EventQueue;
    readonly draws: Draws;
    readonly settings: NetSettings;
    readonly hosts: ReadonlyMap<NodeId, Host>;
  }) {
    this.#queue = parts.queue;
    this.#draws = parts.draws;
    this.#settings = parts.settings;
    this.#hosts = parts.hosts;
    this.#isStream = parts.settings.personality === "stream";
  }

  send(packet: Packet): void {
    const { from, to } = packet;
    const link = from * NODES_MAX + to;
    this.packets += 1;
    this.#sent[link]! += 1;
    if (this.#cuts[link]! > 0) {
      if (this.#isStream) this.#notice(from, to);
      return;
    }
    if (this.isCalm) {
      this.#carry(packet, link, this.#calmDelay(from, to, link));
      return;
    }
    const n = this.#sent[link]!;
    const worst = this.#worst();
    const lossPercent = worst.lossPercent / (this.#isStream ? STREAM_LOSS_DIVISOR : 1);
    if (this.#percent(lossPercent, Stream.loss, link, n)) {
      if (this.#isStream) this.breakLink(from, to);
      return;
    }
    const carried = this.#damage(packet, link, n);
    this.#carry(carried, link, this.#delay(worst, link, n, 0));
    if (!this.#isStream && this.#percent(worst.doublePercent, Stream.double, link, n)) {
      this.#carry(carried, link, this.#delay(worst, link, n, 1));
    }
  }

  /** Cuts links, in the given direction, until they are joined as often. */
  cut(links: readonly (readonly [NodeId, NodeId])[]): void {
    for (const [from, to] of links) {
      this.#cuts[from * NODES_MAX + to]! += 1;
      if (this.#isStream) this.breakLink(from, to);
    }
  }

  join(links: readonly (readonly [NodeId, NodeId])[]): void {
    for (const [from, to] of links) {
      const link = from * NODES_MAX + to;
      if (this.#cuts[link]! > 0) this.#cuts[link]! -= 1;
    }
  }

  /** Holds everything on a link back until then. */
  clog(from: NodeId, to: NodeId, untilMicros: number): void {
    this.#clogs[from * NODES_MAX + to] = untilMicros;
  }

  addWeather(weather: Weather): void {
    this.#weather.push(weather);
  }

  removeWeather(weather: Weather): void {
    const place = this.#weather.indexOf(weather);
    if (place >= 0) this.#weather.splice(place, 1);
  }

  /** A connection breaks: what is under way is lost, and the sender is told. */
  breakLink(from: NodeId, to: NodeId): void {
    this.#connection[from * NODES_MAX + to]! += 1;
    this.#notice(from, to);
  }

  /** All connections of a node break. */
  breakAll(node: NodeId): void {
    if (!this.#isStream) return;
    for (const other of this.#hosts.keys()) {
      if (other === node) continue;
      this.breakLink(node, other);
      this.breakLink(other, node);
    }
  }

  /** From now on all links carry everything. What was late arrives late. */
  heal(): void {
    this.isCalm = true;
    this.#cuts.fill(0);
    this.#clogs.fill(0);
    this.#weather.length = 0;
  }

  #notice(from: NodeId, to: NodeId): void {
    const link = from * NODES_MAX + to;
    if (this.#noticing[link] === 1) return;
    this.#noticing[link] = 1;
    this.#queue.after(NOTICE_MS * MS, () => {
      this.#noticing[link] = 0;
      this.#hosts.get(from)?.unreachable(to);
    });
  }

  #carry(packet: Packet, link: number, delayMs: number): void {
    const { now } = this.#queue;
    let at = now + delayMs * MS;
    const clogged = this.#clogs[link]!;
    if (clogged > now) at = Math.max(at, clogged + delayMs);
    const connection = this.#connection[link]!;
    if (this.#isStream) {
      at = Math.max(at, this.#lastAt[link]! + 1);
      this.#lastAt[link] = at;
    }
    const target = this.#hosts.get(packet.to);
    if (target === undefined) return;
    this.#queue.at(at, () => {
      if (this.#cuts[link]! > 0) return;
      if (this.#isStream && this.#connection[link] !== connection) return;
      target.receive(packet);
    });
  }

  #calmDelay(from: NodeId, to: NodeId, link: number): number {
    const draw = this.#draws.fraction(Stream.delay, from, to, this.#sent[link]!);
    return CALM_MIN_MS + CALM_MORE_MS * draw;
  }

  #delay(worst: Weather, link: number, n: number, copy: number): number {
    const { delayMinMs, delayMeanMs } = this.#settings;
    const draw = this.#draws.fraction(Stream.delay, link, copy, n);
    const normal = delayMinMs + delayMeanMs * 3 * draw * draw;
    if (!this.#percent(worst.latePercent, Stream.late, 2 * link + copy, n)) return normal;
    return normal + worst.lateMs * this.#draws.fraction(Stream.late, link, 2 + copy, n);
  }

  #damage(packet: Packet, link: number, n: number): Packet {
    if (packet.message.kind !== "snapshot") return packet;
    const isHit = this.#percent(this.#settings.damagePercent, Stream.damage, link, n);
    return isHit ? { ...packet, damaged: true } : packet;
  }

  #worst(): Weather {
    if (this.#weather.length === 0) return this.#settings;
    const worst = { ...this.#settings };
    for (const weather of this.#weather) {
      worst.lossPercent = Math.max(worst.lossPercent, weather.lossPercent);
      worst.doublePercent = Math.max(worst.doublePercent, weather.doublePercent);
      worst.latePercent = Math.max(worst.latePercent, weather.latePercent);
      worst.lateMs = Math.max(worst.lateMs, weather.lateMs);
    }
    return worst;
  }

  #percent(percent: number, stream: Stream, link: number, n: number): boolean {
    return percent > 0 && 100 * this.#draws.fraction(stream, link, 0, n) < percent;
  }
}
