/**
 * Random commands against the model: every answer and the whole content, with restarts, power cuts,
 * copies and installations in between. Support for the tests.
 */
import type { Random, SimulatedDisk } from "#platform/types";
import type { KvAnswer, KvCommand, KvMachine } from "#replica";
import type { CommittedEntry } from "#replica/types";
import { KvModel, t } from "./model.ts";
import {
  answerText,
  apply,
  entryOf,
  foreign,
  freshDisk,
  openOn,
  type Subject,
  someCommand,
  worked,
} from "./support.ts";

/** What a run throws when store and model differ. */
export class Difference extends Error {
  override readonly name = "Difference";
}

const COPY = "copies/copy";

/** Runs one history. @throws Difference */
export async function modelRun(subject: Subject, random: Random, batches: number): Promise<void> {
  const run = new Run(subject, random);
  await run.start();
  for (let batch = 0; batch < batches; batch += 1) await run.turn();
  await run.end();
}

/** One command of the log, and what it was answered the first time. */
interface Logged {
  readonly entry: CommittedEntry;
  readonly command: KvCommand | null;
  answer: string | null;
}

class Run {
  readonly #subject: Subject;
  readonly #random: Random;
  readonly #log: Logged[] = [];
  readonly #opened = new Map<number, number>();
  #disk: SimulatedDisk = freshDisk();
  #machine!: KvMachine;
  #model: KvModel;

  constructor(subject: Subject, random: Random) {
    this.#subject = subject;
    this.#random = random;
    this.#model = this.#newModel();
  }

  async start(): Promise<void> {
    this.#machine = await openOn(this.#subject, this.#disk);
  }

  async turn(): Promise<void> {
    const random = this.#random;
    this.#propose(1 + random.below(6));
    await this.#applyRest(1 + random.below(8));
    this.#compareContent();
    switch (random.below(14)) {
      case 0:
        return this.#closeAndOpen();
      case 1:
        return this.#restart(this.#disk.kill(), this.#lastOwn(this.#machine.appliedIndex()));
      case 2:
        return this.#restart(
          this.#disk.crash(random.below(1_000_000)),
          this.#machine.durableIndex(),
        );
      case 3:
        return worked(this.#machine, this.#machine.checkpoint());
      case 4:
        return this.#moveToCopy();
      case 5:
        while (this.#machine.step());
    }
  }

  /** Another machine applies the whole log in other batches and must have the same digest. */
  async end(): Promise<void> {
    await this.#applyRest(7);
    this.#compareContent();
    const other = await openOn(this.#subject, freshDisk());
    for (let from = 0; from < this.#log.length; from += 5) {
      const entries = this.#log.slice(from, from + 5).map(({ entry }) => entry);
      await apply(other, entries);
    }
    this.#expect(hex(this.#machine.digest()) === hex(other.digest()), "digests of one log differ");
    await worked(other, other.close());
    await worked(this.#machine, this.#machine.close());
  }

  #propose(count: number): void {
    for (let made = 0; made < count; made += 1) {
      const index = this.#log.length + 1;
      if (this.#random.below(5) === 0) {
        this.#log.push({ entry: foreign(index), command: null, answer: null });
        continue;
      }
      const command = someCommand(this.#random, index, this.#opened);
      if (command.kind === "openSession") this.#opened.set(index, 0);
      // Now and then a leader whose clock is behind, or after a long silence.
      const jump = this.#random.below(20);
      const timeMs = 1_700_000_000_000 + index * 500 + (jump === 0 ? -5000 : jump === 1 ? 9000 : 0);
      const entry = entryOf(this.#subject, index, command, timeMs);
      const decoded = this.#subject.decodeKvCommand(entry.payload);
      this.#expect(
        answerText(decoded) === answerText(command),
        `command ${index} does not decode to itself`,
      );
      this.#log.push({ entry, command, answer: null });
    }
  }

  /** Applies what the machine has not, in batches; model and machine answer together. */
  async #applyRest(batchMax: number): Promise<void> {
    for (;;) {
      const from = this.#machine.appliedIndex();
      const batch = this.#log.slice(from, from + batchMax);
      if (batch.length === 0) return;
      const results = await apply(
        this.#machine,
        batch.map(({ entry }) => entry),
      );
      for (const [at, logged] of batch.entries()) this.#check(logged, results[at] ?? null);
    }
  }

  #check(logged: Logged, result: Uint8Array | null): void {
    const { entry, command } = logged;
    if (command === null) return;
    const wanted = answerText(this.#model.apply(entry.index, entry.timeMs, command));
    const answer = answerText(this.#subject.decodeKvAnswer(result ?? new Uint8Array(0)));
    const where = `entry ${entry.index}: ${JSON.stringify(command.kind)}`;
    this.#expect(answer === wanted, `${where}: answered ${answer}, want ${wanted}`);
    this.#expect((logged.answer ?? answer) === answer, `${where}: another answer than at first`);
    logged.answer = answer;
  }

  #compareContent(): void {
    const range = { from: new Uint8Array(0), before: null, limit: 10_000 };
    const found = this.#machine.read({ kind: "range", keysOnly: false, ...range });
    const wanted = answerText({
      kind: "transaction",
      held: true,
      revision: 0,
      found: [{ kind: "entries", ...this.#model.range(range) }],
    });
    const got = answerText({ kind: "transaction", held: true, revision: 0, found: [found] });
    this.#expect(got === wanted, `content is ${got}, want ${wanted}`);
    const { sessions } = this.#machine.status();
    this.#expect(sessions === this.#model.sessions.length, `${sessions} sessions`);
    const [first] = [...this.#model.data.keys()];
    if (first === undefined) return;
    const key = new Uint8Array(Buffer.from(first, "latin1"));
    const one = this.#machine.read({ kind: "get", key });
    this.#expect(one.kind === "got" && t(one.entry?.key ?? key) === first, "get finds the key");
  }

  async #closeAndOpen(): Promise<void> {
    const applied = this.#machine.appliedIndex();
    await worked(this.#machine, this.#machine.close());
    await this.#restart(this.#disk, applied);
    this.#expect(this.#machine.durableIndex() === applied, "everything is durable after closing");
  }

  /** Entries of others leave no trace, and may be seen again. */
  #lastOwn(index: number): number {
    return this.#log.slice(0, index).findLast(({ command }) => command !== null)?.entry.index ?? 0;
  }

  /** Opens what a disk has: all up to `least`, and perhaps more. */
  async #restart(disk: SimulatedDisk, least: number): Promise<void> {
    this.#disk = disk;
    this.#machine = await openOn(this.#subject, disk);
    const applied = this.#machine.appliedIndex();
    this.#expect(applied >= least, `is at ${applied} after a restart, want ${least} at least`);
    this.#expect(applied <= this.#log.length, `is at ${applied} of ${this.#log.length}`);
    this.#model = this.#newModel();
    for (const { entry, command } of this.#log.slice(0, applied)) {
      if (command !== null) this.#model.apply(entry.index, entry.timeMs, command);
    }
    this.#compareContent();
  }

  /** The state goes on in a machine that had another one. */
  async #moveToCopy(): Promise<void> {
    const digest = hex(this.#machine.digest());
    const copying = this.#machine.snapshot(COPY);
    const later = this.#machine.digestLater();
    this.#propose(3);
    const at = this.#machine.appliedIndex();
    await this.#applyRest(2);
    const index = await worked(this.#machine, copying);
    this.#expect(index === at, `the copy is at ${index}, want ${at}`);
    this.#expect(hex(await later) === digest, "a digest shows what came after it");
    const disk = freshDisk();
    const other = await openOn(this.#subject, disk);
    const some = this.#log.slice(0, this.#random.below(index)).map(({ entry }) => entry);
    if (some.length > 0) await apply(other, some);
    copyFile(this.#disk, disk);
    await worked(other, other.restore(COPY, index));
    this.#expect(hex(other.digest()) === digest, "a restored copy has another digest");
    this.#expect(other.durableIndex() === index, "a restored copy is not durable");
    this.#expect(!disk.exists(COPY), "the copy is left");
    await worked(this.#machine, this.#machine.close());
    await this.#restart(this.#random.below(2) === 0 ? disk.kill() : disk.crash(3), index);
    await this.#applyRest(4);
    this.#compareContent();
  }

  #newModel(): KvModel {
    return new KvModel((answer: KvAnswer) => this.#subject.encodeKvAnswer(answer).length);
  }

  #expect(condition: boolean, problem: string): void {
    if (!condition) throw new Difference(`kv: ${problem}`);
  }
}

export function copyFile(from: SimulatedDisk, to: SimulatedDisk): void {
  const file = to.open(COPY, "read-write");
  file.truncate(0);
  file.write(0, from.content(COPY));
  file.sync();
  file.close();
  to.syncDir("copies");
  if (from !== to) from.unlink(COPY);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
