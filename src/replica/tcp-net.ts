/**
 * The production `Net`: frames between members over TCP.
 *
 * Each node dials each peer and sends on that connection only; what it accepted it only reads. A
 * frame that cannot be sent now is dropped and the peer reported unreachable: consensus repeats
 * what matters, and a queue without limit would only hide the outage until memory ends.
 *
 * Invariant: a frame counts as from member n only on a connection whose hello proved cluster,
 * number and incarnation. Chapter: 08-replica.
 */
import type { Bytes, Cancel, Ms } from "#base";
import type { Clock, Net, Random, Sockets } from "#platform/types";
import { createFrameStream, encodeHello, type FrameStream } from "./frame-stream.ts";
import type { PeerPort } from "./peer-port.ts";
import type { Configuration, Member } from "./types.ts";

/** 8 MiB: two full in-flight windows. A peer that is further behind is better probed than fed. */
const BUFFERED_BYTES_MAX = 8 * 1024 * 1024;
const RECONNECT_MS_MIN = 20;
const RECONNECT_MS_MAX = 500;
/**
 * A connection that lasted this long was a good one; the next one is dialled without delay again.
 */
const STABLE_MS = 1000;

/** A peer that is there answers a SYN in one round trip; whoever needs longer is dialled again. */
const DIAL_MS_MAX = 2000;
/**
 * A peer to which we have kept sending for so long without hearing a word is behind a connection
 * that drops everything. TCP itself would go on for minutes, and wait for minutes after the path
 * has healed.
 */
const SILENCE_MS_MAX = 5000;

/** The net, and what its driver wants to hear besides frames. */
export interface TcpNet extends Net {
  /** Sets who is told when a peer's connection broke or frames to it were dropped. */
  onUnreachable(f: (peer: number) => void): void;
  /** Closes all connections. */
  close(): void;
}

/** What the net is made of. */
export interface TcpNetOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly port: PeerPort;
  readonly self: number;
  readonly configuration: Configuration;
  /** Told why a connection was turned away. */
  readonly onRefused?: (remote: string, reason: string) => void;
}

/** The connection to one peer: dials until closed. */
class PeerLink {
  readonly #options: TcpNetOptions;
  readonly #member: Member;
  readonly #onUnreachable: () => void;
  #stream: FrameStream | undefined;
  #connected = false;
  #closed = false;
  #backoffMs: Ms = RECONNECT_MS_MIN;
  #cancelRetry: Cancel = () => undefined;
  #connectedAt: Ms = Number.POSITIVE_INFINITY;
  #lastSentAt: Ms = Number.NEGATIVE_INFINITY;
  /** Since when we send without an answer; undefined after a word of the peer. */
  #waitingSince: Ms | undefined;

  constructor(options: TcpNetOptions, member: Member, onUnreachable: () => void) {
    this.#options = options;
    this.#member = member;
    this.#onUnreachable = onUnreachable;
    this.#dial();
  }

  send(parts: readonly Bytes[]): boolean {
    const stream = this.#stream;
    if (stream === undefined || !this.#connected) return false;
    if (stream.bufferedBytes > BUFFERED_BYTES_MAX) return false;
    if (this.#isSilent()) {
      stream.close();
      return false;
    }
    stream.send(parts);
    return true;
  }

  /** The peer has said something, on its own connection. */
  heard(): void {
    this.#waitingSince = undefined;
  }

  /**
   * The peer has dialled anew, so it had lost us; an older connection to it is likely dead as well.
   */
  renew(): void {
    if (this.#options.clock.now() - this.#connectedAt > STABLE_MS) this.#stream?.close();
  }

  /** Notes that something is being sent; tells whether too much went unanswered before it. */
  #isSilent(): boolean {
    const now = this.#options.clock.now();
    // Followers have nothing to say to each other for hours: that is no silence.
    if (now - this.#lastSentAt > SILENCE_MS_MAX) this.#waitingSince = undefined;
    this.#lastSentAt = now;
    this.#waitingSince ??= now;
    return now - this.#waitingSince > SILENCE_MS_MAX;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry();
    this.#stream?.close();
  }

  #dial(): void {
    const { sockets, clock, self, configuration } = this.#options;
    const own = configuration.members.find((member) => member.number === self);
    const stream = createFrameStream(sockets.connect(this.#member.address));
    this.#stream = stream;
    const cancelDial = clock.after(DIAL_MS_MAX, () => stream.close());
    stream.onConnect(() => {
      cancelDial();
      this.#connected = true;
      this.#connectedAt = clock.now();
      this.#waitingSince = undefined;
      stream.send([
        encodeHello({
          purpose: "raft",
          clusterId: configuration.clusterId,
          from: self,
          to: this.#member.number,
          incarnation: own?.incarnation ?? "",
        }),
      ]);
    });
    stream.onClose(() => {
      cancelDial();
      const wasConnected = this.#connected;
      this.#connected = false;
      this.#stream = undefined;
      if (this.#closed) return;
      if (clock.now() - this.#connectedAt > STABLE_MS) this.#backoffMs = RECONNECT_MS_MIN;
      this.#connectedAt = Number.POSITIVE_INFINITY;
      if (wasConnected) this.#onUnreachable();
      this.#retry();
    });
  }

  #retry(): void {
    const { clock, random } = this.#options;
    const delayMs = this.#backoffMs * (0.5 + random.fraction());
    this.#backoffMs = Math.min(this.#backoffMs * 2, RECONNECT_MS_MAX);
    this.#cancelRetry = clock.after(delayMs, () => this.#dial());
  }
}

class PeerNet implements TcpNet {
  readonly #links = new Map<number, PeerLink>();
  readonly #incoming = new Map<number, FrameStream>();
  #receive: (from: number, frame: Bytes) => void = () => undefined;
  #unreachable: (peer: number) => void = () => undefined;

  constructor(options: TcpNetOptions) {
    const { configuration, self, port, onRefused = () => undefined } = options;
    for (const member of configuration.members) {
      if (member.number === self) continue;
      const link = new PeerLink(options, member, () => this.#unreachable(member.number));
      this.#links.set(member.number, link);
    }
    port.onRaft((hello, stream) => {
      const member = configuration.members.find((candidate) => candidate.number === hello.from);
      const reason =
        hello.clusterId !== configuration.clusterId
          ? `it belongs to cluster ${hello.clusterId}, this is ${configuration.clusterId}`
          : hello.to !== self
            ? `it looks for member ${hello.to}, this is ${self}`
            : member?.incarnation !== hello.incarnation
              ? `member ${hello.from} comes as ${hello.incarnation}: its data directory was wiped`
              : undefined;
      if (reason !== undefined) {
        onRefused(stream.remote, reason);
        stream.close();
        return;
      }
      this.#accept(hello.from, stream);
    });
  }

  #accept(from: number, stream: FrameStream): void {
    // The newest connection counts: the older one belongs to a process or a path that is gone.
    const older = this.#incoming.get(from);
    this.#incoming.set(from, stream);
    older?.close();
    const link = this.#links.get(from);
    if (older !== undefined) link?.renew();
    stream.onFrame((body) => {
      link?.heard();
      this.#receive(from, body);
    });
    stream.onClose(() => {
      if (this.#incoming.get(from) === stream) this.#incoming.delete(from);
    });
  }

  send(to: number, parts: readonly Bytes[]): void {
    const link = this.#links.get(to);
    if (link !== undefined && !link.send(parts)) this.#unreachable(to);
  }

  onFrame(receive: (from: number, frame: Bytes) => void): void {
    this.#receive = receive;
  }

  onUnreachable(f: (peer: number) => void): void {
    this.#unreachable = f;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    for (const stream of this.#incoming.values()) stream.close();
  }
}

/** Starts dialling every other member, and takes their connections from the port. */
export function createTcpNet(options: TcpNetOptions): TcpNet {
  return new PeerNet(options);
}
