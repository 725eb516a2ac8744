/**
 * One stream of this machine, plain or TLS, as the callers above see it.
 *
 * Invariant: `onClose` is called once for every stream, whoever closed it and why.
 */
import type { Socket as NodeSocket } from "node:net";
import { type Bytes, CairnError } from "#base";
import { systemText } from "./system-error.ts";
import type { Socket } from "./types.ts";

type Handler<T extends unknown[]> = (...values: T) => void;

const ignore = (): void => undefined;

/** Below this, the parts of one write are copied into one. */
const JOINED_BYTES_MAX = 16 * 1024;

/** A stream over a socket of Node. */
export class NodeStream implements Socket {
  readonly remote: string;
  readonly #raw: NodeSocket;
  #error: CairnError | undefined;
  #onConnect: Handler<[]> = ignore;
  #onData: Handler<[Bytes]> = ignore;
  #onDrain: Handler<[]> = ignore;
  #onClose: Handler<[Error?]> = ignore;

  /** @param standsWith - the event that says that a connection asked for stands. */
  constructor(raw: NodeSocket, remote: string, standsWith: "connect" | "secureConnect") {
    this.remote = remote;
    this.#raw = raw;
    raw.on(standsWith, () => this.#onConnect());
    // Always listening: a stream that nobody reads would never see its end.
    raw.on("data", (chunk: Buffer) => this.#onData(chunk));
    raw.on("error", (error) => {
      this.#error = streamError(remote, error);
    });
    raw.on("close", () => {
      if (this.#error === undefined) this.#onClose();
      else this.#onClose(this.#error);
    });
  }

  get bufferedBytes(): number {
    return this.#raw.writableLength;
  }

  write(parts: readonly Bytes[]): void {
    if (this.#raw.destroyed || this.#raw.writableEnded) return;
    const total = parts.reduce((sum, part) => sum + part.length, 0);
    if (parts.length > 1 && total <= JOINED_BYTES_MAX) {
      // For small parts, copying them together is cheaper than a system call that gathers them.
      this.#raw.write(Buffer.concat(parts, total), () => this.#written());
      return;
    }
    this.#raw.cork();
    for (const [index, part] of parts.entries()) {
      if (index < parts.length - 1) this.#raw.write(part);
      else this.#raw.write(part, () => this.#written());
    }
    this.#raw.uncork();
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
    this.#raw.pause();
  }

  resume(): void {
    this.#raw.resume();
  }

  close(): void {
    this.#raw.destroy();
  }

  /** Node's own event for this comes only after a queue that was long. */
  #written(): void {
    if (!this.#raw.destroyed && this.#raw.writableLength === 0) this.#onDrain();
  }
}

/** The stream to an address that is none: closes in the next turn, when its handlers are set. */
export class FailedSocket implements Socket {
  readonly remote: string;
  readonly bufferedBytes = 0;
  #onClose: Handler<[Error?]> = ignore;

  constructor(remote: string, error: unknown) {
    this.remote = remote;
    setImmediate(() => this.#onClose(streamError(remote, error)));
  }

  onClose(f: (error?: Error) => void): void {
    this.#onClose = f;
  }

  write(): void {}
  onConnect(): void {}
  onData(): void {}
  onDrain(): void {}
  pause(): void {}
  resume(): void {}
  close(): void {}
}

function streamError(address: string, error: unknown): CairnError {
  if (error instanceof CairnError) return error;
  return new CairnError("NET_UNREACHABLE", `platform: ${address}: ${systemText(error)}`, {
    cause: error,
    details: { address },
  });
}
