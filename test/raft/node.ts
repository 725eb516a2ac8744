/**
 * One member for tests: a core, the log that its driver would keep, and a disk reduced to what
 * matters. Writes wait until the test syncs them; messages that wait for a write wait with it.
 */
import type { Ms } from "#base";
import type {
  ConfigurationRecord,
  createRaftCore,
  HardState,
  Index,
  Input,
  Message,
  NodeId,
  Output,
  PersistSeq,
  RaftBootState,
  RaftCore,
  RaftOptions,
  Term,
  TermRun,
  VoterSets,
} from "#raft";
import type { Checker } from "./checker.ts";

/** What a disk knows on which nothing was ever written. */
export function bootOf(voters: readonly NodeId[]): RaftBootState {
  return {
    hardState: { term: 0, vote: 0 },
    compactedIndex: 0,
    compactedTerm: 0,
    configuration: { index: 0, sets: { voters, outgoing: [], learners: [] } },
    configurations: [],
    runs: [],
    sizes: [],
    appliedIndex: 0,
  };
}

/** An entry with its bytes. `chain` stands for it and for everything before it. */
export interface TestEntry {
  readonly term: Term;
  readonly size: number;
  readonly payload: number;
  /** Of an entry that is a configuration. */
  readonly sets?: VoterSets;
  readonly chain: number;
}

export type Payload = Pick<TestEntry, "size" | "payload" | "sets">;

/** A message on the wire, with the bytes of its entries. */
export interface Packet {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly message: Message;
  readonly payloads: readonly Payload[];
  /** With a chunk of a snapshot: what the whole file holds. */
  readonly file?: SnapshotFile;
}

/** A copy of a state machine: all the entries that it has applied. */
export interface SnapshotFile {
  readonly entries: readonly TestEntry[];
}

/** Bytes of every copy; they tell nothing here. */
export const COPY_BYTES = 95;

/** What a node needs from its surroundings. */
export interface World {
  readonly createRaftCore: typeof createRaftCore;
  readonly checker: Checker;
  post(packet: Packet): void;
}

interface Write {
  readonly seq: PersistSeq;
  readonly hardState: HardState | undefined;
  /** The log begins anew behind these. */
  readonly reset: readonly TestEntry[] | undefined;
  readonly truncateFrom: Index | undefined;
  readonly entries: readonly TestEntry[];
}

interface HeldPacket {
  readonly packet: Packet;
  readonly after: PersistSeq;
  /** For an acknowledgement: what the disk must hold when it leaves. */
  readonly chain: number;
}

/** What survives a crash. */
export interface DiskImage {
  hardState: HardState;
  entries: TestEntry[];
  compactedIndex: Index;
}

export class TestNode {
  readonly id: NodeId;
  readonly #world: World;
  readonly #options: RaftOptions;
  readonly #voters: readonly NodeId[];
  core: RaftCore | undefined;
  readonly disk: DiskImage = {
    hardState: { term: 0, vote: 0 },
    entries: [],
    compactedIndex: 0,
  };
  /** The log as the driver sees it: on disk or not yet. Entry 1 is at place 0. */
  log: TestEntry[] = [];
  writes: Write[] = [];
  held: HeldPacket[] = [];
  appliedIndex: Index = 0;
  /** Copies made for peers, by name. */
  readonly copies = new Map<number, SnapshotFile>();
  /** Whether copies are made when they are asked for. */
  makesCopies = true;
  /** The chunks that came last: of which file, and how far. */
  incoming: { readonly file: SnapshotFile; stored: number } | undefined;
  #copiesMade = 0;
  #followUps: Input[] = [];
  #installs: { readonly after: PersistSeq; readonly index: Index }[] = [];
  /** Outputs that are neither sent nor written, since the last `takeEvents`. */
  #events: Output[] = [];

  constructor(world: World, options: RaftOptions, voters: readonly NodeId[]) {
    this.id = options.self;
    this.#world = world;
    this.#options = options;
    this.#voters = voters;
  }

  /** The core of a node that runs. */
  get running(): RaftCore {
    if (this.core === undefined) throw new Error(`node ${this.id} is down`);
    return this.core;
  }

  /** The configuration that the log says is in force. */
  get configuration(): ConfigurationRecord {
    const index = this.log.findLastIndex(({ sets }) => sets !== undefined) + 1;
    const { configuration } = bootOf(this.#voters);
    return index === 0 ? configuration : { index, sets: this.log[index - 1]!.sets! };
  }

  get term(): Term {
    return this.running.status().term;
  }

  /** Starts from the disk. `appliedIndex`: what the state machine has kept. */
  start(now: Ms, appliedIndex: Index = this.disk.compactedIndex): void {
    const { hardState, entries, compactedIndex } = this.disk;
    this.log = [...entries];
    this.appliedIndex = appliedIndex;
    const kept = entries.slice(compactedIndex);
    const { configuration } = bootOf(this.#voters);
    const all = [configuration, ...configurationsOf(entries)];
    const base = all.findLastIndex(({ index }) => index <= compactedIndex);
    const boot: RaftBootState = {
      configuration: all[base]!,
      configurations: all.slice(base + 1),
      hardState,
      compactedIndex,
      compactedTerm: entries[compactedIndex - 1]?.term ?? 0,
      runs: runsOf(kept, compactedIndex + 1),
      sizes: kept.map(({ size }) => size),
      appliedIndex,
    };
    this.core = this.#world.createRaftCore(this.#options, boot, now);
    this.#world.checker.started(this);
  }

  /** Loses everything but the disk, on which the first `writesKept` waiting writes have arrived. */
  crash(writesKept = 0): void {
    for (const write of this.writes.slice(0, writesKept)) this.#write(write);
    this.core = undefined;
    this.writes = [];
    this.held = [];
    this.#events = [];
    this.#followUps = [];
    this.#installs = [];
    this.copies.clear();
    this.incoming = undefined;
  }

  /** Puts the first `count` waiting writes on disk, and then tells the core of the last of them. */
  sync(now: Ms, count = this.writes.length): void {
    const done = this.writes.splice(0, count);
    for (const write of done) {
      this.#write(write);
      // Each message leaves as soon as its own write is done: the earliest, hardest moment.
      while (this.held.length > 0 && this.held[0]!.after <= write.seq) {
        this.#release(this.held.shift()!);
      }
    }
    const last = done.at(-1);
    if (last === undefined) return;
    this.step(now, { kind: "persisted", seq: last.seq });
    while (this.#installs.length > 0 && this.#installs[0]!.after <= last.seq) {
      const { index } = this.#installs.shift()!;
      this.appliedIndex = index;
      this.step(now, { kind: "applied", index });
    }
  }

  /** Feeds one input and carries out what comes. */
  step(
    now: Ms,
    input: Input,
    payloads: readonly Payload[] = [],
    file: SnapshotFile | undefined = undefined,
  ): Output[] {
    const outputs: Output[] = [];
    this.running.step(now, input, outputs);
    const applied = this.appliedIndex;
    for (const output of outputs) {
      if (output.kind === "storeChunk") this.#store(input, file);
      this.#carryOut(output, input, payloads);
    }
    this.#world.checker.stepped(this);
    if (this.appliedIndex > applied) {
      this.step(now, { kind: "applied", index: this.appliedIndex });
    }
    for (const followUp of this.#followUps.splice(0)) {
      outputs.push(...this.step(now, followUp));
    }
    return outputs;
  }

  receive(now: Ms, packet: Packet): Output[] {
    const { from, message, payloads, file } = packet;
    return this.step(now, { kind: "message", from, message }, payloads, file);
  }

  /** Drops entries that are applied. The disk keeps them for the checker; the core must not. */
  compact(now: Ms, upTo: Index): void {
    this.disk.compactedIndex = upTo;
    this.step(now, { kind: "compacted", upTo });
  }

  takeEvents(): Output[] {
    return this.#events.splice(0);
  }

  #carryOut(output: Output, input: Input, payloads: readonly Payload[]): void {
    if (output.kind === "persist") {
      this.#persist(output, input, payloads);
    } else if (output.kind === "send") {
      this.#send(output);
    } else if (output.kind === "apply") {
      this.#world.checker.applied(this, output.from, output.to);
      this.appliedIndex = output.to;
      this.#events.push(output);
    } else {
      if (output.kind === "makeSnapshot" && this.makesCopies) this.makeCopy(output.to);
      if (output.kind === "dropSnapshot") this.copies.delete(output.copy);
      if (output.kind === "install") this.#installs.push(output);
      this.#events.push(output);
    }
  }

  /** Makes a copy for a peer. The core hears of it at the end of the step, or by `answer`. */
  makeCopy(to: NodeId): void {
    this.#copiesMade += 1;
    const copy = this.#copiesMade;
    const index = this.appliedIndex;
    this.copies.set(copy, { entries: this.log.slice(0, index) });
    this.#followUps.push({ kind: "snapshotReady", to, index, copy, totalBytes: COPY_BYTES });
  }

  /** The chunk in hand is stored if it fits to what there is of its file. */
  #store(input: Input, file: SnapshotFile | undefined): void {
    if (input.kind !== "message" || input.message.kind !== "snapshot" || file === undefined) return;
    const { index, copy, offset, bytes } = input.message;
    if (this.incoming?.file !== file) this.incoming = { file, stored: 0 };
    if (offset === this.incoming.stored) this.incoming.stored += bytes;
    const nextOffset = this.incoming.stored;
    this.#followUps.push({ kind: "chunkStored", index, copy, nextOffset });
  }

  #persist(
    output: Extract<Output, { kind: "persist" }>,
    input: Input,
    payloads: readonly Payload[],
  ): void {
    const { seq, hardState, reset, truncateFrom, append } = output;
    const begun = reset && this.incoming?.file.entries;
    if (begun !== undefined) {
      if (reset) this.#world.checker.replaced(this, reset, begun);
      this.log = [...begun];
    }
    if (truncateFrom !== undefined) this.log.length = truncateFrom - 1;
    const entries: TestEntry[] = [];
    if (append !== undefined) {
      // An append may be taken in part: its bytes are counted from the place of the first one.
      const first =
        append.source === "message" && input.kind === "message" && input.message.kind === "append"
          ? input.message.prevIndex + 1
          : append.from;
      for (let index = append.from; index < append.from + append.count; index += 1) {
        const own = { size: 0, payload: 0, ...(append.sets && { sets: append.sets }) };
        const isOwn = append.source === "noop" || append.source === "configuration";
        const given = isOwn ? own : payloads[index - first];
        if (given === undefined) throw new Error(`no bytes for entry ${index}`);
        const term = append.runs.findLast((run) => run.first <= index)!.term;
        const chain = chainOf(this.log.at(-1)?.chain ?? 0, term, given.payload);
        const { size, payload, sets } = given;
        const entry: TestEntry = { term, size, payload, chain, ...(sets && { sets }) };
        this.log.push(entry);
        entries.push(entry);
        this.#world.checker.appended(this, index, entry);
      }
    }
    this.writes.push({ seq, hardState, reset: begun, truncateFrom, entries });
  }

  #send(output: Extract<Output, { kind: "send" }>): void {
    const { to, message, after } = output;
    const payloads =
      message.kind === "append"
        ? this.log.slice(message.prevIndex, message.prevIndex + message.sizes.length)
        : [];
    const file = message.kind === "snapshot" ? this.copies.get(message.copy) : undefined;
    const acknowledged = message.kind === "appendReply" && message.ok ? message.match : 0;
    const held: HeldPacket = {
      packet: { from: this.id, to, message, payloads, ...(file && { file }) },
      after: after ?? 0,
      chain: this.log[acknowledged - 1]?.chain ?? 0,
    };
    if (after === undefined) this.#release(held);
    else this.held.push(held);
  }

  #release({ packet, chain }: HeldPacket): void {
    this.#world.checker.leaving(this, packet, chain);
    this.#world.post(packet);
  }

  #write({ hardState, reset, truncateFrom, entries }: Write): void {
    if (hardState !== undefined) this.disk.hardState = hardState;
    if (reset !== undefined) {
      this.disk.entries = [...reset];
      this.disk.compactedIndex = reset.length;
    }
    if (truncateFrom !== undefined) this.disk.entries.length = truncateFrom - 1;
    this.disk.entries.push(...entries);
  }
}

/** Those of the entries, from the first of the log on, that are configurations. */
export function configurationsOf(entries: readonly TestEntry[]): ConfigurationRecord[] {
  const records: ConfigurationRecord[] = [];
  for (const [i, { sets }] of entries.entries()) if (sets) records.push({ index: i + 1, sets });
  return records;
}

/** Terms of entries as runs. */
export function runsOf(entries: readonly { readonly term: Term }[], from: Index): TermRun[] {
  const runs: TermRun[] = [];
  for (const [i, { term }] of entries.entries()) {
    if (runs.at(-1)?.term !== term) runs.push({ first: from + i, term });
  }
  return runs;
}

/** Stands for an entry and all before it. Multiplications by odd numbers mix, as in any hash. */
export function chainOf(before: number, term: Term, payload: number): number {
  let hash = Math.imul(before ^ Math.imul(term + 1, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ payload, 0xc2b2ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}
