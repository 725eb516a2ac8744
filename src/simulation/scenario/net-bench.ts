/**
 * The real transport over simulated byte streams, for scenarios about what a network can do to it.
 *
 * Invariant: everything that a node takes, refuses or misses is a line; what it takes comes in
 * order, the rest is counted. Chapter: 11-simulation.
 */
import type { Bytes } from "#base";
import { createSimulatedClock, createSimulatedSockets, seededRandom } from "#platform";
import type { SimulatedClock, SimulatedSockets } from "#platform/types";
import {
  createConfiguration,
  createTcpNet,
  openPeerPort,
  type PeerPort,
  type TcpNet,
} from "#replica";
import type { Configuration } from "#replica/types";

const STEP_MS = 5;
/** Promises that hang on each other are done after so many turns of the queue. */
const TURNS = 20;
/** Texts longer than this are told by their length. */
const TEXT_SHOWN_MAX = 40;

/** How the streams are made. */
export interface NetBenchOptions {
  readonly seed: number;
  readonly members: number;
  /** Bytes that arrive at a time, at most. */
  readonly chunkBytesMax: number;
}

interface Node {
  readonly net: TcpNet;
  readonly port: PeerPort;
}

/** How a node introduces itself, if not as the member that it is. */
export interface Disguise {
  readonly incarnation: string | undefined;
  readonly cluster: string | undefined;
}

export class NetBench {
  readonly clock: SimulatedClock = createSimulatedClock();
  readonly sockets: SimulatedSockets;
  readonly #configuration: Configuration;
  readonly #nodes = new Map<number, Node>();
  #lines: string[] = [];
  /** Lines that come again and again, and how often. */
  #repeated = new Map<string, number>();

  constructor({ seed, members, chunkBytesMax }: NetBenchOptions) {
    this.sockets = createSimulatedSockets({ clock: this.clock, seed, chunkBytesMax });
    this.#configuration = createConfiguration(
      Array.from({ length: members }, (_, i) => ({
        id: `n${i + 1}`,
        address: addressOf(i + 1),
        incarnation: `${i + 1}`,
      })),
    );
  }

  async open(id: number, disguise: Disguise): Promise<void> {
    const { clock, sockets } = this;
    const address = addressOf(id);
    const onRefused = (_remote: string, reason: string): void =>
      this.#repeat(`${id} turns away: ${reason}`);
    const port = await openPeerPort({ sockets, clock, address, onRefused });
    const { incarnation, cluster } = disguise;
    const configuration = {
      ...this.#configuration,
      ...(cluster === undefined ? {} : { clusterId: cluster }),
      members: this.#configuration.members.map((member) =>
        member.number === id && incarnation !== undefined ? { ...member, incarnation } : member,
      ),
    };
    const random = seededRandom(id);
    const net = createTcpNet({ sockets, clock, random, port, self: id, configuration, onRefused });
    net.onFrame((from, bytes) => this.#take(id, from, bytes));
    net.onUnreachable((peer) => this.#repeat(`${id} cannot reach ${peer}`));
    this.#nodes.set(id, { net, port });
  }

  async close(id: number): Promise<boolean> {
    const node = this.#nodes.get(id);
    if (node === undefined) return false;
    this.#nodes.delete(id);
    node.net.close();
    await node.port.close();
    return true;
  }

  send(from: number, to: number, text: string): boolean {
    const node = this.#nodes.get(from);
    node?.net.send(to, [new TextEncoder().encode(text)]);
    return node !== undefined;
  }

  /** Somebody who is no member connects and says this. */
  raw(to: number, parts: readonly Bytes[]): void {
    const socket = this.sockets.connect(addressOf(to));
    socket.onClose(() => void this.#lines.push(`the stranger's connection to ${to} is closed`));
    socket.write(parts);
  }

  /** Time passes. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.clock.advance(STEP_MS);
      for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
    }
  }

  /** What happened since the last time. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    for (const [line, count] of this.#repeated) {
      lines.push(count === 1 ? line : `${line} (${count} times)`);
    }
    this.#repeated = new Map();
    return lines;
  }

  #repeat(line: string): void {
    this.#repeated.set(line, (this.#repeated.get(line) ?? 0) + 1);
  }

  #take(id: number, from: number, bytes: Bytes): void {
    const text = new TextDecoder().decode(bytes);
    const shown = text.length > TEXT_SHOWN_MAX ? `${text.length} bytes` : `"${text}"`;
    this.#lines.push(`${id} gets ${shown} from ${from}`);
  }
}

function addressOf(id: number): string {
  return `node-${id}:1`;
}
