/**
 * The production `Net`: frames between members over TCP.
 *
 * Each node dials each peer and sends on that connection only; what it accepted it only reads. A
 * frame that cannot be sent now is dropped and the peer reported unreachable: consensus repeats
 * what matters, and a queue without limit would only hide the outage until memory ends.
 *
 * Peers come and go with the configuration. A node of this cluster that is not in it, because it is
 * new or because it was removed, is heard and answered too: the core knows what its word counts.
 * A member that has moved is answered where it says that it is, or it could not win the votes that
 * it takes to tell the others.
 * Invariant: a frame counts as from member n only on a connection whose hello named this cluster,
 * epoch and node, and for a member that is known, its data directory. Chapter: 08-replica.
 */
import type { Bytes, Cancel, Ms } from "#base";
import type { Clock, Random, Sockets } from "#platform/types";
import type { FrameStream, Hello, Lane } from "./frame-stream.ts";
import { PeerLink } from "./peer-link.ts";
import type { PeerPort } from "./peer-port.ts";
import type { Configuration, Member, ReplicaNet } from "./types.ts";

/** The way to a node that is no member is kept for so long after its last word. */
const GUEST_MS: Ms = 60_000;

type RaftHello = Extract<Hello, { purpose: "raft" }>;

/** The net, and what its driver wants to hear besides frames. */
export interface TcpNet extends ReplicaNet {
  /**
   * Sets who is told when our connection to a peer broke or frames to it were dropped; `isGone`:
   * and its own connection to us is closed, so that it is most likely dead.
   */
  onUnreachable(f: (peer: number, isGone: boolean) => void): void;
  /** Who the members are from now on: new ones are dialled, addresses followed. */
  update(configuration: Configuration): void;
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
  /** Of this node's data directory, and where it is reached; default: as in the configuration. */
  readonly own?: Pick<Member, "incarnation" | "address">;
  /** Told why a connection was turned away. */
  readonly onRefused?: (remote: string, reason: string) => void;
}

class PeerNet implements TcpNet {
  readonly #options: TcpNetOptions;
  readonly #links = new Map<number, PeerLink>();
  readonly #incoming = new Map<string, FrameStream>();
  /** Where members say that they are now: the configuration may learn that only through them. */
  readonly #moved = new Map<number, string>();
  #configuration: Configuration;
  #own: Pick<Member, "incarnation" | "address">;
  #cancelSweep: Cancel | undefined;
  #receive: (from: number, frame: Bytes) => void = () => undefined;
  #unreachable: (peer: number, isGone: boolean) => void = () => undefined;
  /** Those whose own connection is closed. */
  readonly #lost = new Set<number>();
  #isClosed = false;

  constructor(options: TcpNetOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#own = options.own ?? { incarnation: "", address: "" };
    this.update(options.configuration);
    options.port.onRaft((hello, stream) => {
      const reason = this.#refusal(hello);
      if (reason === undefined) return this.#accept(hello, stream);
      options.onRefused?.(stream.remote, reason);
      stream.close();
    });
  }

  update(configuration: Configuration): void {
    const { self } = this.#options;
    const before = this.#configuration;
    this.#configuration = configuration;
    for (const member of configuration.members) {
      const known = before.members.find(({ number }) => number === member.number);
      // Now everybody knows.
      if (known?.address !== member.address) this.#moved.delete(member.number);
      if (member.number !== self) {
        this.#link(member.number, this.#moved.get(member.number) ?? member.address);
      } else {
        const address = this.#options.own?.address || member.address;
        this.#own = { incarnation: member.incarnation, address };
      }
    }
    this.#sweepLater();
  }

  send(to: number, parts: readonly Bytes[], lane: Lane = "main"): void {
    const link = this.#links.get(to);
    if (link !== undefined && !link.send(parts, lane)) this.#unreachable(to, false);
  }

  onFrame(receive: (from: number, frame: Bytes) => void): void {
    this.#receive = receive;
  }

  onUnreachable(f: (peer: number, isGone: boolean) => void): void {
    this.#unreachable = f;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelSweep?.();
    for (const link of this.#links.values()) link.close();
    for (const stream of this.#incoming.values()) stream.close();
  }

  /** Why a caller is turned away; undefined if it is not. */
  #refusal({ clusterId, epoch, from, to, incarnation }: RaftHello): string | undefined {
    const { self } = this.#options;
    const own = this.#configuration;
    if (this.#isClosed) return "this node stops";
    if (clusterId !== own.clusterId) {
      return `it belongs to cluster ${clusterId}, this is ${own.clusterId}`;
    }
    if (epoch !== own.epoch) {
      return `it is of epoch ${epoch}, this is ${own.epoch}: the cluster was recovered by force`;
    }
    if (to !== self) return `it looks for member ${to}, this is ${self}`;
    if (from === self) return "it takes itself for this member";
    const member = this.#member(from);
    if (member !== undefined && member.incarnation !== incarnation) {
      return `member ${from} comes as ${incarnation}: its data directory was wiped`;
    }
    return undefined;
  }

  #member(number: number): Member | undefined {
    return this.#configuration.members.find((member) => member.number === number);
  }

  #accept({ from, lane, address }: RaftHello, stream: FrameStream): void {
    // The newest connection counts: the older one belongs to a process or a path that is gone.
    const key = `${from} ${lane}`;
    const older = this.#incoming.get(key);
    this.#incoming.set(key, stream);
    older?.close();
    const member = this.#member(from);
    if (member !== undefined && member.address !== address) this.#moved.set(from, address);
    else this.#moved.delete(from);
    this.#link(from, address);
    if (member === undefined) this.#sweepLater();
    if (older !== undefined && lane === "main") this.#links.get(from)?.renew();
    stream.onFrame((body) => {
      this.#links.get(from)?.heard();
      this.#receive(from, body);
    });
    if (lane === "main") this.#lost.delete(from);
    stream.onClose(() => {
      if (this.#incoming.get(key) !== stream) return;
      this.#incoming.delete(key);
      if (lane === "main" && !this.#isClosed) this.#noteLost(from);
    });
  }

  /** Whichever of the two connections is closed last says that the peer is gone. */
  #noteLost(peer: number): void {
    this.#lost.add(peer);
    if (this.#links.get(peer)?.isConnected === false) this.#unreachable(peer, true);
  }

  /** Makes the way to a peer, or another one if it has moved. */
  #link(number: number, address: string): void {
    const present = this.#links.get(number);
    if (present?.address === address || this.#isClosed) return;
    present?.close();
    const { sockets, clock, random } = this.#options;
    const link = new PeerLink({
      ...{ sockets, clock, random, address },
      hello: (lane) => this.#hello(number, lane),
      onUnreachable: () => this.#unreachable(number, this.#lost.has(number)),
    });
    this.#links.set(number, link);
  }

  #hello(to: number, lane: Lane): RaftHello {
    const { clusterId, epoch } = this.#configuration;
    const { self } = this.#options;
    return { purpose: "raft", clusterId, epoch, from: self, to, lane, ...this.#own };
  }

  /** Forgets those who are no members and have said nothing for a while. */
  #sweepLater(): void {
    const guests = (): [number, PeerLink][] =>
      [...this.#links].filter(([number]) => this.#member(number) === undefined);
    if (this.#cancelSweep !== undefined || this.#isClosed || guests().length === 0) return;
    const { clock } = this.#options;
    this.#cancelSweep = clock.after(GUEST_MS, () => {
      this.#cancelSweep = undefined;
      for (const [number, link] of guests()) {
        if (clock.now() - link.heardAt < GUEST_MS) continue;
        link.close();
        this.#links.delete(number);
      }
      this.#sweepLater();
    });
  }
}

/** Starts dialling every other member, and takes their connections from the port. */
export function createTcpNet(options: TcpNetOptions): TcpNet {
  return new PeerNet(options);
}
