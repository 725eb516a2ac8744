/**
 * Calls between nodes: forwarding to the leader, joining, asking a node about itself.
 *
 * | message  | frame body                                                                    |
 * | -------- | ----------------------------------------------------------------------------- |
 * | request  | id u32, method bytes u8, method (ASCII), payload                              |
 * | response | id u32, status u8 (0 ok, 1 error), payload; an error is JSON {code, message}  |
 *
 * Invariant: a request is sent at most once. When the connection breaks behind it, nobody knows
 * whether it was carried out, and the caller is told exactly that (K2). Chapter: 08-replica.
 */
import {
  type Bytes,
  CairnError,
  type Cancel,
  ERROR_CODES,
  type ErrorCode,
  errorText,
  type Ms,
} from "#base";
import type { Clock, Sockets } from "#platform/types";
import { createFrameStream, encodeHello, type FrameStream } from "./frame-stream.ts";
import type { PeerPort } from "./peer-port.ts";

const STATUS_OK = 0;
const STATUS_ERROR = 1;
const RESPONSE_HEADER_BYTES = 5;
/** A day. Whoever has more patience gets as much as a timer can hold with ease. */
const PATIENCE_MS_MAX: Ms = 24 * 3_600_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Answers calls. Errors go back with their code. */
export type RpcHandler = (method: string, payload: Bytes) => Promise<Bytes>;

/** Makes calls; one connection an address, kept open. */
export interface RpcClient {
  /**
   * Calls a method at a node and resolves with its answer.
   *
   * @throws `NET_UNREACHABLE` when the request never left; `REPLICA_PEER_FAILED` or `NET_TIMEOUT`
   * when it did and its outcome is unknown; RangeError for a payload that no frame holds; otherwise
   * the error that the handler threw, by code.
   */
  call(address: string, method: string, payload: Bytes, timeoutMs: Ms): Promise<Bytes>;
  /** Closes all connections; calls under way fail as broken. */
  close(): void;
}

interface PendingCall {
  readonly resolve: (payload: Bytes) => void;
  readonly reject: (error: Error) => void;
}

function encodeRequest(id: number, method: string, payload: Bytes): Bytes[] {
  const name = encoder.encode(method);
  const header = new Uint8Array(5 + name.length);
  new DataView(header.buffer).setUint32(0, id, true);
  header[4] = name.length;
  header.set(name, 5);
  return [header, payload];
}

function decodeError(payload: Bytes, address: string): CairnError {
  let fields: Record<string, string> = {};
  try {
    fields = JSON.parse(decoder.decode(payload)) as Record<string, string>;
  } catch (error) {
    const problem = `replica: ${address}: unreadable error: ${errorText(error)}`;
    return new CairnError("REPLICA_PEER_FAILED", problem, { cause: error });
  }
  const { code, message } = fields;
  const known = code !== undefined && Object.hasOwn(ERROR_CODES, code);
  return new CairnError(
    known ? (code as ErrorCode) : "REPLICA_PEER_FAILED",
    message ?? `replica: ${address} failed without a word`,
  );
}

/** One connection to one address, with the calls under way on it. */
class RpcConnection {
  readonly #address: string;
  readonly #stream: FrameStream;
  readonly #pending = new Map<number, PendingCall>();
  #connected = false;
  #nextId = 1;

  constructor(address: string, stream: FrameStream, onClose: () => void) {
    this.#address = address;
    this.#stream = stream;
    stream.onConnect(() => {
      this.#connected = true;
    });
    stream.onFrame((body) => this.#settle(body));
    stream.onClose((error) => {
      onClose();
      this.#failAll(error);
    });
    stream.send([encodeHello({ purpose: "rpc" })]);
  }

  call(method: string, payload: Bytes, calls: PendingCall): () => void {
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    this.#stream.send(encodeRequest(id, method, payload));
    this.#pending.set(id, calls);
    return () => {
      this.#pending.delete(id);
      // A connection that never stood up would keep later calls waiting as well.
      if (!this.#connected) this.#stream.close();
    };
  }

  get connected(): boolean {
    return this.#connected;
  }

  close(): void {
    this.#stream.close();
  }

  #settle(body: Bytes): void {
    if (body.length < RESPONSE_HEADER_BYTES) return this.#stream.close();
    const id = new DataView(body.buffer, body.byteOffset, body.byteLength).getUint32(0, true);
    const call = this.#pending.get(id);
    // A late answer to a call that has timed out finds nobody.
    if (call === undefined) return;
    this.#pending.delete(id);
    const payload = body.subarray(RESPONSE_HEADER_BYTES);
    if (body[4] === STATUS_OK) call.resolve(payload);
    else call.reject(decodeError(payload, this.#address));
  }

  #failAll(error?: Error): void {
    const code = this.#connected ? "REPLICA_PEER_FAILED" : "NET_UNREACHABLE";
    const what = this.#connected ? "connection broke before the answer" : "cannot be reached";
    const reason = error === undefined ? "" : `: ${error.message}`;
    for (const call of this.#pending.values()) {
      call.reject(
        new CairnError(code, `replica: ${this.#address}: ${what}${reason}`, { cause: error }),
      );
    }
    this.#pending.clear();
  }
}

/** Makes a client. */
export function createRpcClient(options: { sockets: Sockets; clock: Clock }): RpcClient {
  const { sockets, clock } = options;
  const connections = new Map<string, RpcConnection>();
  const connectionTo = (address: string): RpcConnection => {
    const existing = connections.get(address);
    if (existing !== undefined) return existing;
    const stream = createFrameStream(sockets.connect(address));
    const connection: RpcConnection = new RpcConnection(address, stream, () => {
      if (connections.get(address) === connection) connections.delete(address);
    });
    connections.set(address, connection);
    return connection;
  };
  return {
    call: (address, method, payload, timeoutMs) =>
      new Promise((resolve, reject) => {
        const connection = connectionTo(address);
        let cancelTimer: Cancel = () => undefined;
        const abandon = connection.call(method, payload, {
          resolve: (answer) => {
            cancelTimer();
            resolve(answer);
          },
          reject: (error) => {
            cancelTimer();
            reject(error);
          },
        });
        cancelTimer = clock.after(Math.min(timeoutMs, PATIENCE_MS_MAX), () => {
          const code = connection.connected ? "NET_TIMEOUT" : "NET_UNREACHABLE";
          abandon();
          reject(
            new CairnError(code, `replica: ${address}: no answer to ${method} in ${timeoutMs} ms`),
          );
        });
      }),
    close: () => {
      for (const connection of [...connections.values()]) connection.close();
    },
  };
}

/** Answers calls that come in on a port. */
export function serveRpc(port: PeerPort, handler: RpcHandler): void {
  port.onRpc((stream) => {
    stream.onFrame((body) => {
      void answer(stream, body, handler);
    });
  });
}

async function answer(stream: FrameStream, body: Bytes, handler: RpcHandler): Promise<void> {
  const nameBytes = body[4] ?? 0;
  if (body.length < 5 + nameBytes) return stream.close();
  const header = new Uint8Array(RESPONSE_HEADER_BYTES);
  header.set(body.subarray(0, 4));
  try {
    const method = decoder.decode(body.subarray(5, 5 + nameBytes));
    const payload = await handler(method, body.subarray(5 + nameBytes));
    header[4] = STATUS_OK;
    stream.send([header, payload]);
  } catch (error) {
    const code = error instanceof CairnError ? error.code : "REPLICA_PEER_FAILED";
    header[4] = STATUS_ERROR;
    stream.send([header, encoder.encode(JSON.stringify({ code, message: errorText(error) }))]);
  }
}
