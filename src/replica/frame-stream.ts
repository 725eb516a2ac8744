/**
 * Frames over one socket, and the hello that opens every connection between nodes.
 *
 * The hello is the first frame, as JSON: who calls, for what, in which cluster. Invariant: nothing
 * else is taken from a connection before its hello was read; a damaged stream is closed, never
 * resynchronised.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError, errorText } from "#base";
import type { Socket } from "#platform/types";
import { createFrameReader, FRAME_BYTES_MAX, frame } from "./frame.ts";

/**
 * Version of everything that nodes say to each other. A node refuses another version rather than
 * guess.
 */
export const PROTOCOL_VERSION = 2;

/** Large frames must not keep small ones waiting. */
export type Lane = "main" | "bulk";

/** How a connection introduces itself. */
export type Hello =
  | {
      readonly purpose: "raft";
      readonly clusterId: string;
      readonly epoch: number;
      readonly from: number;
      readonly to: number;
      /** Of the caller's data directory. */
      readonly incarnation: string;
      /** Where the caller is reached: the other end may not know it yet. */
      readonly address: string;
      /** What comes on it: large frames have a connection of their own. */
      readonly lane: Lane;
    }
  | { readonly purpose: "rpc" };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Encodes the hello as a frame body. */
export function encodeHello(hello: Hello): Bytes {
  return encoder.encode(JSON.stringify({ protocol: "cairn", version: PROTOCOL_VERSION, ...hello }));
}

/**
 * Decodes a hello.
 *
 * @throws `REPLICA_FRAME_CORRUPT` when it is none, or of another version.
 */
export function decodeHello(body: Bytes): Hello {
  let value: Record<string, unknown> = {};
  try {
    value = JSON.parse(decoder.decode(body)) as Record<string, unknown>;
  } catch (error) {
    throw new CairnError("REPLICA_FRAME_CORRUPT", `replica: hello: ${errorText(error)}`, {
      cause: error,
    });
  }
  const { protocol, version, purpose } = value;
  if (protocol === "cairn" && version === PROTOCOL_VERSION) {
    if (purpose === "rpc") return { purpose };
    const hello = purpose === "raft" ? raftHello(value) : undefined;
    if (hello !== undefined) return hello;
  }
  throw new CairnError(
    "REPLICA_FRAME_CORRUPT",
    `replica: hello of protocol ${String(protocol)}, version ${String(version)}`,
  );
}

function raftHello(value: Record<string, unknown>): Hello | undefined {
  const { clusterId, epoch, from, to, incarnation, address, lane } = value;
  const isHello =
    typeof clusterId === "string" &&
    typeof epoch === "number" &&
    typeof from === "number" &&
    typeof to === "number" &&
    typeof incarnation === "string" &&
    typeof address === "string" &&
    (lane === "main" || lane === "bulk");
  if (!isHello) return undefined;
  return { purpose: "raft", clusterId, epoch, from, to, incarnation, address, lane };
}

/** A hello is a few hundred bytes. Who is not introduced makes us set nothing larger aside. */
const HELLO_BYTES_MAX = 4096;

/** A socket that carries frames. */
export interface FrameStream {
  /** Takes frames of hello size only, until {@link FrameStream.trust}. For accepted sockets. */
  distrust(): void;
  /** The other end has introduced itself: frames of any size are taken from here on. */
  trust(): void;
  readonly remote: string;
  readonly bufferedBytes: number;
  /** Sends one frame made of these parts. */
  send(parts: readonly Bytes[]): void;
  /** Sets the receiver of bodies. A body is kept by whoever gets it: it is a copy unless large. */
  onFrame(f: (body: Bytes) => void): void;
  /** Called once when the stream stands; never on accepted streams. */
  onConnect(f: () => void): void;
  /** Called once when the stream ends, with the reason if it was not asked for. */
  onClose(f: (error?: Error) => void): void;
  /** Closes at once, dropping what is queued. */
  close(): void;
}

class SocketFrameStream implements FrameStream {
  readonly #socket: Socket;
  readonly #reader = createFrameReader();
  #receive: (body: Bytes) => void = () => undefined;
  #closed: (error?: Error) => void = () => undefined;
  #reason: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.onData((chunk) => {
      try {
        this.#reader.push(chunk, (body) => this.#receive(body));
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
        this.#reason = error;
        socket.close();
      }
    });
    socket.onClose((error) => this.#closed(this.#reason ?? error));
  }

  distrust(): void {
    this.#reader.bytesMax = HELLO_BYTES_MAX;
  }
  trust(): void {
    this.#reader.bytesMax = FRAME_BYTES_MAX;
  }
  get remote(): string {
    return this.#socket.remote;
  }
  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }
  send(parts: readonly Bytes[]): void {
    this.#socket.write(frame(parts));
  }
  onFrame(f: (body: Bytes) => void): void {
    this.#receive = f;
  }
  onConnect(f: () => void): void {
    this.#socket.onConnect(f);
  }
  onClose(f: (error?: Error) => void): void {
    this.#closed = f;
  }
  close(): void {
    this.#socket.close();
  }
}

/** Puts frames on a socket. */
export function createFrameStream(socket: Socket): FrameStream {
  return new SocketFrameStream(socket);
}
