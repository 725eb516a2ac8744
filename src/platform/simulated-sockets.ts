/**
 * Byte streams in memory, under a simulated clock.
 *
 * A write is queued and arrives later in chunks of random size, so that a reader that takes a chunk
 * for a message is found out. Invariants: bytes arrive in order and once; nothing arrives after
 * `onClose`; every stream that closes tells both ends, once. Chapter: 11-simulation.
 */
import { type Bytes, CairnError, type Ms } from "#base";
import { formatAddress, parseAddress } from "./address.ts";
import { seededRandom } from "./seeded-random.ts";
import { createSimulatedStream, type SimulatedStream } from "./simulated-stream.ts";
import type { Clock, Listener, Random, SimulatedSockets, Socket } from "./types.ts";

/** How the streams are made. */
export interface SimulatedSocketsOptions {
  readonly clock: Clock;
  /** Chunk sizes and delays come from it. Default 1. */
  readonly seed?: number;
  /** Largest chunk that arrives. Default 64 KiB, as the kernel's reads. Smaller: more splits. */
  readonly chunkBytesMax?: number;
}

const CHUNK_BYTES_MAX = 64 * 1024;

/** Longest that a chunk, a connection or a close takes to reach the other end. */
const DELAY_MS_MAX = 1;

/** Where port 0 starts to count: the range that systems keep for it. */
const FREE_PORT_FIRST = 49152;

interface Listening {
  readonly accept: (socket: Socket) => void;
  readonly accepted: Set<SimulatedStream>;
}

class MemorySockets implements SimulatedSockets {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #chunkBytesMax: number;
  readonly #listening = new Map<string, Listening>();
  readonly #streams = new Set<SimulatedStream>();
  #nextPort = FREE_PORT_FIRST;
  #up = true;
  #stalled = false;
  #tamper: ((chunk: Bytes) => Bytes) | null = null;

  constructor({ clock, seed = 1, chunkBytesMax = CHUNK_BYTES_MAX }: SimulatedSocketsOptions) {
    if (!(chunkBytesMax >= 1)) throw new RangeError(`platform: chunks of ${chunkBytesMax} bytes`);
    this.#clock = clock;
    this.#random = seededRandom(seed);
    this.#chunkBytesMax = chunkBytesMax;
  }

  async listen(wanted: string, onSocket: (socket: Socket) => void): Promise<Listener> {
    const { host, port } = parseAddress(wanted);
    const address = formatAddress({ host, port: port === 0 ? this.#freePort(host) : port });
    if (this.#listening.has(address)) {
      throw new CairnError("NET_ADDRESS_IN_USE", `platform: listen at ${address}: in use`, {
        details: { address },
      });
    }
    const listening: Listening = { accept: onSocket, accepted: new Set() };
    this.#listening.set(address, listening);
    return {
      address,
      close: async () => {
        if (this.#listening.get(address) === listening) this.#listening.delete(address);
        for (const stream of [...listening.accepted]) stream.close();
      },
    };
  }

  connect(address: string): Socket {
    const client = this.#stream(address);
    this.#later(() => {
      if (client.closed) return;
      const failure = this.#refusal(address);
      const listening = this.#listening.get(address);
      if (failure !== undefined || listening === undefined) {
        client.end(failure ?? unreachable(address, "connection refused"));
        return;
      }
      const server = this.#stream(formatAddress({ host: "client", port: this.#nextPort }));
      this.#nextPort += 1;
      listening.accepted.add(server);
      server.onEnd(() => listening.accepted.delete(server));
      server.join(client);
      client.join(server);
      listening.accept(server.socket);
      client.connected();
    });
    return client.socket;
  }

  resetAll(): void {
    for (const stream of [...this.#streams]) stream.end(unreachable(stream.remote, "reset"));
  }

  setUp(up: boolean): void {
    this.#up = up;
    this.#wake();
  }

  setTamper(tamper: ((chunk: Bytes) => Bytes) | null): void {
    this.#tamper = tamper;
  }

  setStalled(stalled: boolean): void {
    this.#stalled = stalled;
    this.#wake();
  }

  #stream(remote: string): SimulatedStream {
    const stream = createSimulatedStream({
      remote,
      later: (f) => this.#later(f),
      moves: () => this.#up && !this.#stalled,
      drawChunkBytes: (available) => this.#drawChunkBytes(available),
      tamper: (chunk) => this.#tamper?.(chunk) ?? chunk,
    });
    this.#streams.add(stream);
    stream.onEnd(() => this.#streams.delete(stream));
    return stream;
  }

  #refusal(address: string): CairnError | undefined {
    try {
      parseAddress(address);
    } catch (error) {
      if (error instanceof CairnError) return error;
      throw error;
    }
    return this.#up ? undefined : unreachable(address, "network is down");
  }

  #freePort(host: string): number {
    while (this.#listening.has(formatAddress({ host, port: this.#nextPort }))) this.#nextPort += 1;
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }

  #wake(): void {
    for (const stream of this.#streams) stream.wake();
  }

  /** Half of the chunks are as large as possible, and join writes; the others end anywhere. */
  #drawChunkBytes(available: number): number {
    const bytes = Math.min(available, this.#chunkBytesMax);
    return this.#random.below(2) === 0 ? bytes : 1 + this.#random.below(bytes);
  }

  #later(f: () => void): void {
    const delayMs: Ms = this.#random.fraction() * DELAY_MS_MAX;
    this.#clock.after(delayMs, f);
  }
}

/** Makes streams that reach only each other. */
export function createSimulatedSockets(options: SimulatedSocketsOptions): SimulatedSockets {
  return new MemorySockets(options);
}

function unreachable(address: string, what: string): CairnError {
  return new CairnError("NET_UNREACHABLE", `platform: ${address}: ${what} (simulated)`, {
    details: { address },
  });
}
