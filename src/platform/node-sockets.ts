/**
 * TCP streams of this machine, with TLS if it was asked for.
 *
 * Nagle's algorithm is off: a heartbeat that waits for more bytes is late, and callers batch by
 * giving all parts of a frame in one `write`, which are sent in one system call.
 *
 * Invariant: with TLS, nothing above sees a byte of a peer before its certificate has passed every
 * check that was asked for.
 */
import { connect, createServer, type Socket as NodeSocket, type Server } from "node:net";
import { createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { CairnError } from "#base";
import { formatAddress, parseAddress } from "./address.ts";
import { FailedSocket, NodeStream } from "./node-stream.ts";
import { systemCode, systemText } from "./system-error.ts";
import { contextOptions } from "./tls-files.ts";
import { clientOptions, peerProblem, type SocketTls, serverOptions } from "./tls-peers.ts";
import type { Listener, Socket, Sockets } from "./types.ts";

/** How the streams of this machine are made. */
export interface NodeSocketsOptions {
  /** TLS on both ends; none by default. */
  readonly tls?: SocketTls | undefined;
  /** Told of connections that broke before they stood: a handshake that failed. */
  readonly onRefused?: (remote: string, reason: string) => void;
  /**
   * Told of addresses whose certificate did not pass: once for each reason, however often they are
   * dialled.
   */
  readonly onUntrusted?: (address: string, reason: string) => void;
}

const ignore = (): void => undefined;

class NodeSockets implements Sockets {
  readonly #tls: SocketTls | undefined;
  readonly #onRefused: (remote: string, reason: string) => void;
  readonly #onUntrusted: (address: string, reason: string) => void;
  /** The last reason for each address. */
  readonly #untrusted = new Map<string, string>();

  constructor({ tls, onRefused = ignore, onUntrusted = ignore }: NodeSocketsOptions) {
    this.#tls = tls;
    this.#onRefused = onRefused;
    this.#onUntrusted = onUntrusted;
  }

  async listen(address: string, onSocket: (socket: Socket) => void): Promise<Listener> {
    const { host, port } = parseAddress(address);
    const server = this.#server(onSocket);
    const listener = new NodeListener(server, host);
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
    try {
      const target = parseAddress(address);
      if (this.#tls === undefined) {
        return new NodeStream(connect({ ...target, noDelay: true }), address, "connect");
      }
      const raw = tlsConnect(clientOptions(this.#tls, target));
      raw.setNoDelay(true);
      raw.once("secureConnect", () => this.#untrusted.delete(address));
      raw.once("error", (error) => this.#distrust(address, error));
      return new NodeStream(raw, address, "secureConnect");
    } catch (error) {
      return new FailedSocket(address, error);
    }
  }

  /** Whoever dials tries again and again; the reason is worth one line. */
  #distrust(address: string, error: Error): void {
    // An error of the system has a number: that one concerns the way, not the certificate.
    if ("errno" in error || this.#untrusted.get(address) === error.message) return;
    this.#untrusted.set(address, error.message);
    this.#onUntrusted(address, error.message);
  }

  #server(onSocket: (socket: Socket) => void): Server {
    const tls = this.#tls;
    if (tls === undefined) {
      const server = createServer({ noDelay: true });
      server.on("connection", (raw) => onSocket(new NodeStream(raw, remoteOf(raw), "connect")));
      return server;
    }
    // Node would close without a reason; the check below gives one, and comes before any byte.
    const options = { ...serverOptions(tls), rejectUnauthorized: false };
    const server = createTlsServer({ ...options, noDelay: true });
    tls.files.onChange((material) => server.setSecureContext(contextOptions(material)));
    server.on("tlsClientError", (error, raw) => this.#onRefused(remoteOf(raw), systemText(error)));
    server.on("secureConnection", (raw) => {
      const problem = peerProblem(tls, raw);
      if (problem === undefined) onSocket(new NodeStream(raw, remoteOf(raw), "secureConnect"));
      else {
        this.#onRefused(remoteOf(raw), problem);
        raw.on("error", ignore);
        raw.destroy();
      }
    });
    return server;
  }
}

class NodeListener implements Listener {
  readonly #server: Server;
  readonly #host: string;
  readonly #accepted = new Set<NodeSocket>();

  constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
    // Under TLS too this is the TCP connection, before any handshake.
    server.on("connection", (raw) => {
      this.#accepted.add(raw);
      raw.once("close", () => this.#accepted.delete(raw));
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

/** Makes the streams of this machine. */
export function createNodeSockets(options: NodeSocketsOptions = {}): Sockets {
  return new NodeSockets(options);
}

function remoteOf(raw: NodeSocket): string {
  return formatAddress({ host: raw.remoteAddress ?? "unknown", port: raw.remotePort ?? 0 });
}

function listenError(address: string, error: Error): CairnError {
  const inUse = systemCode(error) === "EADDRINUSE";
  return new CairnError(
    inUse ? "NET_ADDRESS_IN_USE" : "NET_ADDRESS_INVALID",
    `platform: listen at ${address}: ${systemText(error)}`,
    { cause: error, details: { address } },
  );
}
