/**
 * One end of a simulated byte stream.
 *
 * Each end queues what it sends; a pump moves one chunk at a time to the other end, so that at most
 * one chunk of a direction is on its way and order is kept. Invariant: the pump runs if, and only
 * if, there is something to move, somebody to take it, and the network moves.
 */
import { assert, type Bytes } from "#base";
import type { Socket } from "./types.ts";

/** What a stream needs from the network it is in. */
export interface StreamHost {
  readonly remote: string;
  /** Runs `f` when the network has carried something. */
  later(f: () => void): void;
  /** Whether anything is delivered now. */
  moves(): boolean;
  /** The size of the next chunk, from 1 to `available`. */
  drawChunkBytes(available: number): number;
  /** What arrives instead of a chunk. */
  tamper(chunk: Bytes): Bytes;
}

/** An end, as the network handles it. */
export interface SimulatedStream {
  readonly socket: Socket;
  readonly remote: string;
  readonly closed: boolean;
  /** Names the other end. */
  join(peer: SimulatedStream): void;
  /** Tells the owner that the connection stands, and starts what was queued. */
  connected(): void;
  /** Takes a chunk from the other end. */
  take(chunk: Bytes): void;
  /** Whether the owner takes chunks now. */
  readonly takes: boolean;
  /** Looks again whether something can be moved. */
  wake(): void;
  /** Closes as the owner would: the other end follows without error. */
  close(): void;
  /** Closes both ends with an error. */
  end(error?: Error): void;
  /** Called when this end is closed and has told the other end. */
  onEnd(f: () => void): void;
}

const ignore = (): void => undefined;

class MemoryStream implements SimulatedStream, Socket {
  readonly #host: StreamHost;
  #peer: SimulatedStream | null = null;
  /** What was written and not yet moved; the first array from `#sentBytes` on. */
  readonly #queue: Bytes[] = [];
  #sentBytes = 0;
  #bufferedBytes = 0;
  #pumping = false;
  #paused = false;
  #closed = false;
  /** The other end has been told of the end, or needs not to be. */
  #parted = false;
  #error: Error | undefined;
  #onConnect: () => void = ignore;
  #onData: (chunk: Bytes) => void = ignore;
  #onDrain: () => void = ignore;
  #onClose: (error?: Error) => void = ignore;
  readonly #onEnd: (() => void)[] = [];

  constructor(host: StreamHost) {
    this.#host = host;
  }

  get socket(): Socket {
    return this;
  }

  get remote(): string {
    return this.#host.remote;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get takes(): boolean {
    return !this.#paused && !this.#closed;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  write(parts: readonly Bytes[]): void {
    if (this.#closed) return;
    for (const part of parts) {
      if (part.length === 0) continue;
      this.#queue.push(part);
      this.#bufferedBytes += part.length;
    }
    this.wake();
  }

  onConnect(f: () => void): void {
    this.#onConnect = f;
  }

  onData(f: (chunk: Bytes) => void): void {
    this.#onData = f;
  }

  onDrain(f: () => void): void {
    this.#onDrain = f;
  }

  onClose(f: (error?: Error) => void): void {
    this.#onClose = f;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#peer?.wake();
  }

  close(): void {
    this.end();
  }

  join(peer: SimulatedStream): void {
    this.#peer = peer;
  }

  connected(): void {
    if (this.#closed) return;
    this.#onConnect();
    this.wake();
  }

  take(chunk: Bytes): void {
    this.#onData(chunk);
  }

  wake(): void {
    if (this.#closed) {
      this.#part();
      return;
    }
    if (this.#pumping || !this.#canMove()) return;
    this.#pumping = true;
    this.#host.later(() => {
      this.#pumping = false;
      if (!this.#canMove()) return;
      this.#peer?.take(this.#host.tamper(this.#nextChunk()));
      if (this.#bufferedBytes === 0 && !this.#closed) this.#onDrain();
      this.wake();
    });
  }

  end(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#queue.length = 0;
    this.#bufferedBytes = 0;
    // The owner may still be in the turn that made this stream, and set its handlers next.
    this.#host.later(() => {
      if (error === undefined) this.#onClose();
      else this.#onClose(error);
      this.#part();
    });
  }

  onEnd(f: () => void): void {
    this.#onEnd.push(f);
  }

  #canMove(): boolean {
    return this.#bufferedBytes > 0 && this.#peer?.takes === true && this.#host.moves();
  }

  /** Tells the other end, now or when the network moves again. */
  #part(): void {
    const peer = this.#peer;
    if (this.#parted || (peer?.closed === false && !this.#host.moves())) return;
    this.#parted = true;
    peer?.end(this.#error);
    for (const f of this.#onEnd) f();
  }

  /** Takes bytes off the queue, into a fresh array: the chunk belongs to the receiver. */
  #nextChunk(): Bytes {
    const chunk = new Uint8Array(this.#host.drawChunkBytes(this.#bufferedBytes));
    let filled = 0;
    while (filled < chunk.length) {
      const first = this.#queue[0];
      assert(first !== undefined, "platform: queued arrays hold the bytes that are counted");
      const from = this.#sentBytes;
      const before = Math.min(first.length, from + chunk.length - filled);
      chunk.set(first.subarray(from, before), filled);
      filled += before - from;
      this.#sentBytes = before === first.length ? 0 : before;
      if (before === first.length) this.#queue.shift();
    }
    this.#bufferedBytes -= chunk.length;
    return chunk;
  }
}

/** Makes an end that is not joined to another yet. */
export function createSimulatedStream(host: StreamHost): SimulatedStream {
  return new MemoryStream(host);
}
