/**
 * What must hold whatever happens, checked at every step against what no real node can see: the
 * durable image of every disk, and a ledger of all that was ever committed.
 *
 * The ids are those of the invariants: L for one node, G for the whole cluster.
 */
import type { Index, NodeId, Term } from "#raft";
import type { Packet, TestEntry, TestNode } from "./node.ts";

/** A broken promise of Raft, with its id. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly id: string;

  constructor(id: string, message: string) {
    super(`${id}: ${message}`);
    this.id = id;
  }
}

function require(condition: boolean, id: string, message: () => string): void {
  if (!condition) throw new Violation(id, message());
}

interface Committed {
  readonly chain: number;
  readonly entryTerm: Term;
  /** The newest term in which it was committed when it was first seen to be. */
  readonly inTerm: Term;
}

export class Checker {
  readonly #nodes: readonly TestNode[];
  readonly leaderOf = new Map<Term, NodeId>();
  readonly #voteOf = new Map<string, NodeId>();
  readonly #chainOf = new Map<string, number>();
  readonly committed: Committed[] = [];
  readonly #appliedChains: number[] = [];
  readonly #sentTerm = new Map<NodeId, Term>();
  readonly #commitSeen = new Map<NodeId, Index>();
  readonly #roleSeen = new Map<NodeId, string>();

  /** Called with each leader that is about to commit up to an index. */
  onLeaderCommit: (node: TestNode, index: Index) => void = () => undefined;

  /** @param nodes - filled by the caller; all there are, up or down. */
  constructor(nodes: readonly TestNode[]) {
    this.#nodes = nodes;
  }

  started(node: TestNode): void {
    const sent = this.#sentTerm.get(node.id) ?? 0;
    require(node.term >= sent, "L1", () =>
      `node ${node.id} restarts in term ${node.term}, it has spoken in term ${sent}`);
    this.#commitSeen.set(node.id, node.running.commitIndex);
    this.#roleSeen.set(node.id, "follower");
  }

  /** G2: one index and one term mean one history. */
  appended(node: TestNode, index: Index, entry: TestEntry): void {
    const key = `${index}/${entry.term}`;
    const known = this.#chainOf.get(key);
    require(known === undefined || known === entry.chain, "G2", () =>
      `node ${node.id} has another entry ${key} than others`);
    this.#chainOf.set(key, entry.chain);
  }

  /** L1, L2, L3: what leaves is true of the disk. */
  leaving(node: TestNode, { message, to }: Packet, chain: number): void {
    const { hardState, entries } = node.disk;
    const hypothetical =
      (message.kind === "vote" && message.pre) ||
      (message.kind === "voteReply" && message.pre && message.granted);
    if (!hypothetical) {
      const sent = this.#sentTerm.get(node.id) ?? 0;
      require(message.term >= sent, "L1", () =>
        `node ${node.id} speaks in term ${message.term} after term ${sent}`);
      this.#sentTerm.set(node.id, message.term);
      require(hardState.term >= message.term, "L3", () =>
        `node ${node.id} speaks in term ${message.term}, its disk is in ${hardState.term}`);
    }
    if (message.kind === "voteReply" && message.granted && !message.pre) {
      this.#voted(node, message.term, to);
    }
    if (message.kind === "vote" && !message.pre) this.#voted(node, message.term, node.id);
    if (message.kind === "appendReply" && message.ok && message.match > 0) {
      require(entries[message.match - 1]?.chain === chain, "L3", () =>
        `node ${node.id} acknowledges entry ${message.match}, its disk does not have it`);
    }
  }

  applied(node: TestNode, from: Index, to: Index): void {
    require(from === node.appliedIndex + 1, "L10", () =>
      `node ${node.id} applies ${from} after ${node.appliedIndex}`);
    for (let index = from; index <= to; index += 1) {
      const chain = node.log[index - 1]?.chain;
      require(chain !== undefined, "L4", () => `node ${node.id} applies ${index} of nothing`);
      require(node.disk.entries[index - 1]?.chain === chain, "L4", () =>
        `node ${node.id} applies ${index}, its disk does not have it`);
      require((this.#appliedChains[index] ?? chain) === chain, "G4", () =>
        `node ${node.id} applies another entry ${index} than others`);
      this.#appliedChains[index] = chain!;
    }
  }

  /** G9: what takes a log's place is what is committed, with the configuration of that place. */
  replaced(
    node: TestNode,
    reset: { readonly index: Index; readonly term: Term; readonly configuration: { index: Index } },
    entries: readonly TestEntry[],
  ): void {
    const { index, term, configuration } = reset;
    require(entries.length === index && entries.at(-1)?.term === term, "G9", () =>
      `node ${node.id} begins anew behind ${index}, its file ends at ${entries.length}`);
    require(this.committed[index - 1]?.chain === entries.at(-1)?.chain, "G9", () =>
      `node ${node.id} installs a state at ${index} that was never committed`);
    const last = entries.findLastIndex(({ sets }) => sets !== undefined) + 1;
    require(configuration.index === last, "G9", () =>
      `node ${node.id} installs configuration ${configuration.index}, not ${last}`);
  }

  stepped(node: TestNode): void {
    const { core } = node;
    if (core === undefined) return;
    const { role, commitIndex } = core;
    require(core.configuration.index === node.configuration.index, "L11", () =>
      `node ${node.id} follows configuration ${core.configuration.index}, ` +
      `the last in its log is ${node.configuration.index}`);
    if (role === "leader" && this.#roleSeen.get(node.id) !== "leader") this.#elected(node);
    this.#roleSeen.set(node.id, role);
    const seen = this.#commitSeen.get(node.id) ?? 0;
    require(commitIndex >= seen, "L6", () => `node ${node.id}: commit fell to ${commitIndex}`);
    if (commitIndex === seen) return;
    this.#commitSeen.set(node.id, commitIndex);
    if (role === "leader") {
      this.onLeaderCommit(node, commitIndex);
      this.#leaderCommits(node, commitIndex);
    }
    for (let index = seen + 1; index <= commitIndex; index += 1) this.#commits(node, index);
  }

  #voted(node: TestNode, term: Term, candidate: NodeId): void {
    const key = `${node.id}/${term}`;
    const before = this.#voteOf.get(key) ?? candidate;
    require(before === candidate, "L2", () =>
      `node ${node.id} votes in term ${term} for ${before} and for ${candidate}`);
    this.#voteOf.set(key, candidate);
    const { hardState } = node.disk;
    require(hardState.term > term || hardState.vote === candidate, "L3", () =>
      `node ${node.id} votes in term ${term} for ${candidate}, its disk says ${hardState.vote}`);
  }

  #elected(node: TestNode): void {
    const { term } = node;
    const before = this.leaderOf.get(term) ?? node.id;
    require(before === node.id, "G1", () =>
      `nodes ${before} and ${node.id} both lead in term ${term}`);
    this.leaderOf.set(term, node.id);
    const place = this.committed.findLastIndex(({ inTerm }) => inTerm < term);
    const last = this.committed[place];
    require(last === undefined || node.log[place]?.chain === last.chain, "G3", () =>
      `node ${node.id} leads in term ${term} without entry ${place + 1}, which is committed`);
  }

  #leaderCommits(node: TestNode, index: Index): void {
    const entry = node.log[index - 1];
    require(entry?.term === node.term, "G7", () =>
      `leader ${node.id} of term ${node.term} commits entry ${index} of term ${entry?.term}`);
    const copies = this.#nodes
      .filter(({ disk }) => disk.entries[index - 1]?.chain === entry?.chain)
      .map(({ id }) => id);
    const { voters, outgoing } = node.running.configuration.sets;
    for (const half of outgoing.length > 0 ? [voters, outgoing] : [voters]) {
      const having = half.filter((id) => copies.includes(id)).length;
      require(2 * having > half.length, "G6", () =>
        `leader ${node.id} commits ${index}, which is on the disks of ${copies.join()} only`);
    }
  }

  #commits(node: TestNode, index: Index): void {
    const entry = node.log[index - 1];
    require(entry !== undefined, "G5", () => `node ${node.id} commits ${index} of nothing`);
    const known = this.committed[index - 1];
    require(known === undefined || known.chain === entry!.chain, "G5", () =>
      `node ${node.id} commits another entry ${index} than others`);
    this.committed[index - 1] ??= {
      chain: entry!.chain,
      entryTerm: entry!.term,
      inTerm: node.term,
    };
  }
}
