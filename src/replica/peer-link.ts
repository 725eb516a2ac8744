/**
 * The way to one peer: a connection for what is small and urgent, and one for what is large.
 *
 * The first is dialled until closed, the second when something large is to be sent. Invariant: a
 * frame is given to a connection that stands, or it is reported as not sent; nothing waits here.
 * Chapter: 08-replica.
 */
import type { Bytes, Cancel, Ms } from "#base";
import type { Clock, Random, Sockets } from "#platform/types";
import { createFrameStream, encodeHello, type FrameStream, type Lane } from "./frame-stream.ts";

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

/** What a link is made of. */
export interface PeerLinkOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  /** Where the peer is. */
  readonly address: string;
  /** How a connection introduces itself, as of now. */
  readonly hello: (lane: Lane) => Parameters<typeof encodeHello>[0];
  readonly onUnreachable: () => void;
}

/** See the file's header. */
export class PeerLink {
  readonly #options: PeerLinkOptions;
  readonly address: string;
  #stream: FrameStream | undefined;
  #bulk: FrameStream | undefined;
  #connected = false;
  #closed = false;
  #backoffMs: Ms = RECONNECT_MS_MIN;
  #cancelRetry: Cancel = () => undefined;
  #connectedAt: Ms = Number.POSITIVE_INFINITY;
  #lastSentAt: Ms = Number.NEGATIVE_INFINITY;
  /** Since when we send without an answer; undefined after a word of the peer. */
  #waitingSince: Ms | undefined;
  /** When the peer was last heard, on its own connection. */
  heardAt: Ms;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.address = options.address;
    this.heardAt = options.clock.now();
    this.#dial();
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  /** @returns whether the frame is on its way. */
  send(parts: readonly Bytes[], lane: Lane): boolean {
    if (this.#stream === undefined || !this.#connected) return false;
    const stream = lane === "main" ? this.#stream : this.#bulkStream();
    if (stream.bufferedBytes > BUFFERED_BYTES_MAX) return false;
    if (this.#isSilent()) {
      this.#stream.close();
      this.#bulk?.close();
      return false;
    }
    stream.send(parts);
    return true;
  }

  /** The peer has said something, on its own connection. */
  heard(): void {
    this.#waitingSince = undefined;
    this.heardAt = this.#options.clock.now();
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
    this.#bulk?.close();
  }

  #dial(): void {
    const { sockets, clock, hello, onUnreachable } = this.#options;
    const stream = createFrameStream(sockets.connect(this.address));
    this.#stream = stream;
    const cancelDial = clock.after(DIAL_MS_MAX, () => stream.close());
    stream.onConnect(() => {
      cancelDial();
      this.#connected = true;
      this.#connectedAt = clock.now();
      this.#waitingSince = undefined;
      stream.send([encodeHello(hello("main"))]);
    });
    stream.onClose(() => {
      cancelDial();
      const wasConnected = this.#connected;
      this.#connected = false;
      this.#stream = undefined;
      if (this.#closed) return;
      if (clock.now() - this.#connectedAt > STABLE_MS) this.#backoffMs = RECONNECT_MS_MIN;
      this.#connectedAt = Number.POSITIVE_INFINITY;
      if (wasConnected) onUnreachable();
      this.#retry();
    });
  }

  #retry(): void {
    const { clock, random } = this.#options;
    const delayMs = this.#backoffMs * (0.5 + random.fraction());
    this.#backoffMs = Math.min(this.#backoffMs * 2, RECONNECT_MS_MAX);
    this.#cancelRetry = clock.after(delayMs, () => this.#dial());
  }

  /** What is written before the connection stands is kept by the socket. */
  #bulkStream(): FrameStream {
    if (this.#bulk !== undefined) return this.#bulk;
    const { sockets, clock, hello, onUnreachable } = this.#options;
    const stream = createFrameStream(sockets.connect(this.address));
    this.#bulk = stream;
    const cancelDial = clock.after(DIAL_MS_MAX, () => stream.close());
    stream.onConnect(() => cancelDial());
    stream.onClose(() => {
      cancelDial();
      this.#bulk = undefined;
      if (!this.#closed) onUnreachable();
    });
    stream.send([encodeHello(hello("bulk"))]);
    return stream;
  }
}
