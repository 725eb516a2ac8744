/**
 * One simulated member: a core, and what its driver would do, over a model disk and a model
 * machine. Nothing happens by itself: whoever owns the node says when its disk syncs, its machine
 * works and its clock ticks.
 *
 * Invariant: a packet leaves once the record that it waits for is durable, and not before.
 * Chapter: 11-simulation.
 */
import { assert, type Ms } from "#base";
import type {
  HardState,
  Index,
  Input,
  NodeId,
  Output,
  PersistSeq,
  RaftCore,
  RaftOptions,
} from "#raft/types";
import { Copies } from "./copies.ts";
import { bootOf, ModelDisk } from "./disk.ts";
import type { EntryContent } from "./entry.ts";
import { HeldPackets } from "./held.ts";
import { emptyBase, ModelLog, NO_SETS } from "./log.ts";
import { ModelMachine } from "./machine.ts";
import { Reads } from "./reads.ts";
import { appendTo, baseOf, type Carried } from "./records.ts";
import type {
  Command,
  CrashRemains,
  LogBase,
  ModelEntry,
  ModelNodeOptions,
  Packet,
  ReadOutcome,
  ReadRequest,
  Surroundings,
} from "./types.ts";

const NO_ENTRIES: readonly ModelEntry[] = [];
const NO_CONTENTS: readonly EntryContent[] = [];

type OutputOf<Kind extends Output["kind"]> = Extract<Output, { kind: Kind }>;

/** Makes a node that is down, with an empty disk. */
export function createModelNode(options: ModelNodeOptions): ModelNode {
  return new ModelNode(options);
}

/** See the file's header. */
export class ModelNode {
  readonly id: NodeId;
  readonly disk: ModelDisk;
  readonly machine = new ModelMachine();
  readonly copies: Copies;
  /** The log as the driver sees it: durable or not. */
  log: ModelLog;
  core: RaftCore | undefined;
  /** The assertion that stopped the process, until it is started again. */
  haltedBy: unknown;
  /** Lives so far. */
  life = 0;
  readonly #options: RaftOptions;
  readonly #around: Surroundings;
  readonly #held = new HeldPackets();
  readonly #reads = new Reads();
  readonly #outputs: Output[] = [];
  #durableSeq: PersistSeq = 0;
  #handedTo: Index = 0;
  #install: { readonly copy: number; readonly after: PersistSeq } | undefined;
  readonly #carried: Carried = { contents: NO_CONTENTS, packet: undefined };

  constructor(options: ModelNodeOptions) {
    this.id = options.raft.self;
    this.#options = options.raft;
    this.#around = options.surroundings;
    this.disk = new ModelDisk(emptyBase({ index: 0, sets: options.sets ?? NO_SETS }));
    this.log = this.disk.log;
    this.copies = new Copies(this.id);
  }

  /** The core of a node that runs. */
  get running(): RaftCore {
    assert(this.core !== undefined, `simulation: node ${this.id} is down`);
    return this.core;
  }

  /** Does the machine have something to apply or to install? */
  get hasWork(): boolean {
    if (this.#install !== undefined) return this.#durableSeq >= this.#install.after;
    return this.machine.index < this.#handedTo;
  }

  /** Packets that wait for the disk. */
  get heldPackets(): readonly Packet[] {
    return this.#held.packets;
  }

  /** Starts from the disk. */
  start(now: Ms): void {
    assert(this.core === undefined, `simulation: node ${this.id} runs already`);
    const { disk, machine } = this;
    const { base } = disk.log;
    this.life += 1;
    this.haltedBy = undefined;
    this.log = new ModelLog(base, disk.log.entries);
    if (base.index > machine.index) this.#finishInstallation(base);
    this.#handedTo = machine.index;
    const boot = bootOf(disk, machine.index);
    try {
      this.core = this.#around.createRaftCore(this.#options, boot, now);
    } catch (error) {
      this.#halt(error);
      return;
    }
    this.#around.observer.started(this, this.core);
  }

  /** Loses everything but the disk, and from it what was not synced. */
  crash(remains: CrashRemains = {}): void {
    this.#stop();
    this.haltedBy = undefined;
    this.disk.crash(remains.writesKept ?? 0);
    this.machine.crash(remains.appliedKept ?? 0);
    this.log = this.disk.log;
  }

  /** A crash from which nothing comes back: the data directory is gone. */
  wipe(): void {
    this.crash();
    this.disk.wipe();
    this.machine.wipe();
  }

  /** An empty node begins with this hard state and these entries. Before its first start. */
  preload(hardState: HardState, entries: readonly ModelEntry[]): void {
    assert(this.life === 0, `simulation: node ${this.id} has lived already`);
    this.disk.preload(hardState, entries);
    for (const [i, entry] of entries.entries()) {
      this.#around.observer.appended(this, i + 1, entry);
    }
  }

  /** Feeds one input and carries out what comes. @returns the outputs, until the next step. */
  step(now: Ms, input: Input): readonly Output[] {
    const core = this.running;
    const outputs = this.#outputs;
    const { observer } = this.#around;
    outputs.length = 0;
    observer.steps(this, core, input);
    try {
      core.step(now, input, outputs);
    } catch (error) {
      outputs.length = 0;
      this.#halt(error);
      return outputs;
    }
    observer.stepped(this, core, input, outputs);
    for (let i = 0; i < outputs.length; i += 1) this.#carryOut(now, outputs[i]!);
    observer.carriedOut(this, core, now);
    return outputs;
  }
  /** Takes a packet from the network. */
  receive(now: Ms, packet: Packet): readonly Output[] {
    this.#carried.packet = packet;
    return this.step(now, { kind: "message", from: packet.from, message: packet.message });
  }

  /** Proposes one batch. */
  propose(
    now: Ms,
    id: number,
    batch: readonly { readonly command: Command; readonly size: number }[],
  ): readonly Output[] {
    this.#carried.contents = batch;
    return this.step(now, { kind: "propose", id, sizes: batch.map(({ size }) => size) });
  }

  /** Asks for a read; it ends in `readEnded`, or in `told` with a refusal. */
  read(now: Ms, read: ReadRequest): readonly Output[] {
    this.#reads.ask(read);
    return this.step(now, { kind: "read", id: read.id, via: read.via });
  }

  /**
   * Makes the first `count` waiting writes durable and says so to the core. Each packet leaves as
   * soon as its own record is durable: the earliest and hardest moment.
   */
  sync(now: Ms, count: number = this.disk.pending.length): void {
    const stored: { index: Index; copy: number; nextOffset: number }[] = [];
    let persisted = 0;
    for (let i = 0; i < count; i += 1) {
      const write = this.disk.syncOne();
      if (write === undefined) break;
      if (write.kind === "chunk") {
        stored.push(write);
        continue;
      }
      persisted = write.seq;
      this.#durableSeq = write.seq;
      this.#around.observer.persisted(this);
      this.#held.release(write.seq, this.#post);
    }
    if (persisted > 0) this.step(now, { kind: "persisted", seq: persisted });
    for (const { index, copy, nextOffset } of stored) {
      if (this.core === undefined) return;
      this.step(now, { kind: "chunkStored", index, copy, nextOffset });
    }
  }

  /** The machine installs a snapshot, or applies up to so many entries. */
  work(now: Ms, entriesMax = Number.POSITIVE_INFINITY): void {
    if (!this.hasWork) return;
    if (this.#install !== undefined) {
      this.#installFile(this.#install.copy);
      this.#install = undefined;
      this.#handedTo = this.machine.index;
    } else {
      const to = Math.min(this.#handedTo, this.machine.index + entriesMax);
      while (this.machine.index < to) this.#applyNext();
    }
    this.#serveReads(now);
    this.step(now, { kind: "applied", index: this.machine.index });
  }

  /** Makes the copy that a peer waits for, or fails to. */
  makeCopy(now: Ms, to: NodeId, fails = false): void {
    const request = this.copies.take(to);
    if (request === undefined) return;
    const { atLeast } = request;
    const { machine, log } = this;
    let copy = this.copies.share(to, Math.max(atLeast, log.base.index));
    const chain = log.chainAt(machine.index);
    if (copy === undefined && !fails && machine.index >= atLeast && chain !== undefined) {
      copy = this.copies.make(to, machine.state(), chain);
      this.#around.observer.copied(this, copy, "made");
    }
    const index = copy?.state.index ?? 0;
    const answer = { copy: copy?.copy ?? 0, totalBytes: copy?.totalBytes ?? 0 };
    this.step(now, { kind: "snapshotReady", to, index, ...answer });
  }

  /** Forgets entries that the machine holds durably. */
  compact(now: Ms, upTo: Index): void {
    const { durableIndex } = this.machine;
    assert(upTo <= durableIndex, `simulation: compacts to ${upTo}, durable is ${durableIndex}`);
    if (upTo <= this.log.base.index) return;
    this.log.compact(upTo);
    this.disk.log.compact(upTo);
    this.step(now, { kind: "compacted", upTo });
  }

  #carryOut(now: Ms, output: Output): void {
    switch (output.kind) {
      case "persist":
        this.#persist(output);
        return;
      case "send":
        this.#send(output);
        return;
      case "apply":
        this.#around.observer.handedOut(this, output.from, output.to);
        this.#handedTo = output.to;
        return;
      case "install":
        this.#install = output;
        return;
      case "storeChunk":
        this.#storeChunk();
        break;
      case "makeSnapshot":
        this.copies.request(output);
        break;
      case "dropSnapshot":
        this.copies.drop(output.to, output.copy);
        break;
      case "readReady":
        this.#reads.ready(output.id, output.index, output.leaseUntil);
        this.#serveReads(now);
        break;
      case "readFailed":
        this.#endRead(output.id, { kind: "failed", reason: output.reason });
        break;
      case "refused":
        this.#reads.end(output.id);
        break;
      default:
        break;
    }
    this.#around.told(this, output);
  }

  #persist(output: OutputOf<"persist">): void {
    const { seq, hardState, truncateFrom, append } = output;
    const { observer } = this.#around;
    const reset = output.reset === undefined ? undefined : baseOf(this.disk, output.reset);
    if (reset !== undefined) {
      this.log.reset(reset);
      this.#handedTo = this.machine.index;
    }
    if (truncateFrom !== undefined) {
      observer.truncates(this, truncateFrom);
      this.log.truncateFrom(truncateFrom);
    }
    const entries = appendTo(this.log, append, this.#carried);
    for (let i = 0; i < entries.length; i += 1) {
      observer.appended(this, append!.from + i, entries[i]!);
    }
    this.disk.pending.push({ kind: "record", seq, hardState, reset, truncateFrom, entries });
  }

  #send({ to, message, after }: OutputOf<"send">): void {
    const { log } = this;
    let entries = NO_ENTRIES;
    let copy: Packet["copy"];
    let chain = 0;
    if (message.kind === "append" && message.sizes.length > 0) {
      const place = message.prevIndex - log.base.index;
      entries = log.entries.slice(place, place + message.sizes.length);
    } else if (message.kind === "snapshot") {
      copy = this.copies.find(message.copy);
      assert(copy !== undefined, `simulation: node ${this.id} sends copy ${message.copy}, dropped`);
    } else if (message.kind === "appendReply" && message.ok) {
      chain = log.chainAt(message.match) ?? 0;
    }
    const packet: Packet = { from: this.id, to, message, entries, copy };
    if (after !== undefined && after > this.#durableSeq) this.#held.hold({ packet, after, chain });
    else this.#post(packet, chain);
  }

  readonly #post = (packet: Packet, chain: number): void => {
    this.#around.observer.leaves(this, packet, chain);
    this.#around.post(packet);
  };

  #storeChunk(): void {
    const { packet } = this.#carried;
    assert(packet?.message.kind === "snapshot", "simulation: a chunk is stored of a snapshot");
    this.disk.pending.push(this.copies.store(packet, packet.message));
  }

  #applyNext(): void {
    const index = this.machine.index + 1;
    const entry = this.log.entryAt(index);
    assert(entry !== undefined, `simulation: node ${this.id} applies ${index} of nothing`);
    const result = this.machine.apply(entry);
    this.#around.observer.applied(this, index, entry);
    this.#around.applied(this, index, entry, result);
  }

  #installFile(copy: number): void {
    const file = this.disk.files.get(copy);
    assert(file !== undefined, `simulation: node ${this.id} installs copy ${copy} of nothing`);
    this.machine.restore(file.state);
    this.disk.files.delete(copy);
    this.#around.observer.copied(this, file, "installed");
  }

  /** A crash came between the log's reset and the machine's. */
  #finishInstallation(base: LogBase): void {
    const gap = `log begins behind ${base.index}, machine ends at ${this.machine.index}`;
    assert(this.disk.files.has(base.copy), `simulation: node ${this.id}: ${gap}, no snapshot`);
    this.#installFile(base.copy);
  }

  #serveReads(now: Ms): void {
    for (const { read, leaseUntil } of this.#reads.takeServable(this.machine.index)) {
      const { index } = this.machine;
      const value = this.machine.valueOf(read.key);
      // The value first, the clock second: in the other order the lease could end in between.
      if (leaseUntil !== undefined && now >= leaseUntil) {
        this.#endRead(read.id, { kind: "lease-over" });
        continue;
      }
      if (leaseUntil !== undefined) this.#around.observer.servesByLease(this, index, leaseUntil);
      this.#endRead(read.id, { kind: "value", index, value });
    }
  }

  #endRead(id: number, outcome: ReadOutcome): void {
    const read = this.#reads.end(id);
    if (read !== undefined) this.#around.readEnded(this, read, outcome);
  }

  #halt(error: unknown): void {
    this.#stop();
    this.haltedBy = error;
    this.#around.halted(this, error);
  }

  #stop(): void {
    if (this.core !== undefined) this.#around.observer.stopped(this);
    this.core = undefined;
    this.copies.forget();
    this.#held.forget();
    this.#reads.forget();
    this.#durableSeq = 0;
    this.#install = undefined;
  }
}
