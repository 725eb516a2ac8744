/**
 * TCP streams of this machine.
 *
 * Nagle's algorithm is off: a heartbeat that waits for more bytes is late, and callers batch by
 * giving all parts of a frame in one `write`, which are sent in one system call.
 *
 * Invariant: `onClose` is called once for every stream, whoever closed it and why.
 */
import { connect, createServer, type Socket as NodeSocket, type Server } from "node:net";
import { type Bytes, CairnError } from "#base";
import { formatAddress, parseAddress } from "./address.ts";
import { systemCode, systemText } from "./system-error.ts";
import type { Listener, Socket, Sockets } from "./types.ts";

type Handler<T extends unknown[]> = (...values: T) => void;

const ignore = (): void => undefined;

/** Below this, the parts of one write are copied into one. */
const JOINED_BYTES_MAX = 16 * 1024;

class NodeSockets implements Sockets {
  async listen(address: string, onSocket: (socket: Socket) => void): Promise<Listener> {
    const { host, port } = parseAddress(address);
    const server = createServer({ noDelay: true });
    const listener = new NodeListener(server, host, onSocket);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(listenError(address, error)));
      server.listen({ host, port }, resolve);
    });
    // From here on an error concerns one connection that could not be accepted, for lack of file
    // descriptors say; its client tries again.
    server.on("error", ignore);
    return listener;
  }

  connect(address: string): Socket {
    let target: { host: string; port: number };
    try {
      target = parseAddress(address);
    } catch (error) {
      return new FailedSocket(address, error);
    }
    return new NodeStream(connect({ ...target, noDelay: true }), address);
  }
}

class NodeListener implements Listener {
  readonly #server: Server;
  readonly #host: string;
  readonly #accepted = new Set<NodeSocket>();

  constructor(server: Server, host: string, onSocket: (socket: Socket) => void) {
    this.#server = server;
    this.#host = host;
    server.on("connection", (raw) => {
      this.#accepted.add(raw);
      raw.once("close", () => this.#accepted.delete(raw));
      const remote = { host: raw.remoteAddress ?? "unknown", port: raw.remotePort ?? 0 };
      onSocket(new NodeStream(raw, formatAddress(remote)));
    });
  }

  get address(): string {
    const bound = this.#server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : 0;
    return formatAddress({ host: this.#host, port });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // The error "not running" means that it was closed before: all is as it should be.
      this.#server.close(() => resolve());
      for (const raw of this.#accepted) raw.destroy();
    });
  }
}

class NodeStream implements Socket {
  readonly remote: string;
  readonly #raw: NodeSocket;
  #error: CairnError | undefined;
  #onConnect: Handler<[]> = ignore;
  #onData: Handler<[Bytes]> = ignore;
  #onDrain: Handler<[]> = ignore;
  #onClose: Handler<[Error?]> = ignore;

  constructor(raw: NodeSocket, remote: string) {
    this.remote = remote;
    this.#raw = raw;
    raw.on("connect", () => this.#onConnect());
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
class FailedSocket implements Socket {
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

/** Makes the TCP streams of this machine. */
export function createNodeSockets(): Sockets {
  return new NodeSockets();
}

function listenError(address: string, error: Error): CairnError {
  const inUse = systemCode(error) === "EADDRINUSE";
  return new CairnError(
    inUse ? "NET_ADDRESS_IN_USE" : "NET_ADDRESS_INVALID",
    `platform: listen at ${address}: ${systemText(error)}`,
    { cause: error, details: { address } },
  );
}

function streamError(address: string, error: unknown): CairnError {
  if (error instanceof CairnError) return error;
  return new CairnError("NET_UNREACHABLE", `platform: ${address}: ${systemText(error)}`, {
    cause: error,
    details: { address },
  });
}
