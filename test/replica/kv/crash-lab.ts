/**
 * One log of forty entries, with a copy put in the place of the state in its middle, and the power
 * failing at every operation of the disk. Support for the tests.
 *
 * One run: go on until the power fails, let the crash keep some of what was unsynced, open, compare
 * with the model at the index found; finish what was under way, crash again, open, compare.
 */
import { isPowerCut, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import type { KvCommand, KvMachine } from "#replica";
import type { CommittedEntry } from "#replica/types";
import { b, KvModel } from "./model.ts";
import {
  answerText,
  apply,
  command,
  entryOf,
  foreign,
  freshDisk,
  openOn,
  put,
  type Subject,
  someCommand,
  worked,
} from "./support.ts";

/** What a run throws when a promise is broken. */
export class Broken extends Error {
  override readonly name = "Broken";
}

const BEFORE = 14;
const COPY_AT = 30;
const LAST = 40;
const COPY = "copies/in-30";
/** Another copy, of an earlier state: what an unfinished installation left must not show in it. */
const OTHER_AT = 22;
const OTHER = "copies/in-22";
/** Makes rows large enough for flushes and compactions to happen inside a run. */
const PADDING = "x".repeat(400);

/** A log, and what a machine must be at each of its entries. */
export interface Story {
  readonly entries: readonly CommittedEntry[];
  /** Content and sessions at each index, as text. */
  readonly states: readonly string[];
  readonly digest: string;
  readonly copy: Uint8Array;
  readonly other: Uint8Array;
}

/** Makes the log, and asks a machine that nothing happens to for its digest and its copy. */
export async function writeStory(subject: Subject): Promise<Story> {
  const random = seededRandom(11);
  const opened = new Map<number, number>();
  const model = new KvModel((answer) => subject.encodeKvAnswer(answer).length);
  const entries: CommittedEntry[] = [];
  const states = [stateOf(model)];
  for (let index = 1; index <= LAST; index += 1) {
    const own = index % 6 === 5 ? null : commandAt(index, opened);
    const one = own ?? (index % 2 === 0 ? null : someCommand(random, index, opened));
    const entry = one === null ? foreign(index) : entryOf(subject, index, one);
    if (one?.kind === "openSession") opened.set(index, 0);
    if (one !== null) model.apply(index, entry.timeMs, one);
    entries.push(entry);
    states.push(stateOf(model));
  }
  const disk = freshDisk();
  const machine = await openOn(subject, disk);
  await apply(machine, entries.slice(0, OTHER_AT));
  await worked(machine, machine.snapshot(OTHER));
  await apply(machine, entries.slice(OTHER_AT, COPY_AT));
  await worked(machine, machine.snapshot(COPY));
  await apply(machine, entries.slice(COPY_AT));
  const [copy, other] = [disk.content(COPY), disk.content(OTHER)];
  return { entries, states, digest: hex(machine.digest()), copy, other };
}

/** Operations of a run that the power does not fail in: the crash points. */
export async function crashPoints(subject: Subject, story: Story): Promise<number> {
  const disk = prepared(story);
  await play(subject, disk, story, { durable: 0 });
  return disk.operations;
}

/** Runs with the power failing at one point. @throws Broken */
export async function crashRun(
  subject: Subject,
  story: Story,
  at: { readonly point: number; readonly seed: number },
): Promise<void> {
  const disk = prepared(story);
  disk.cutPowerAt(at.point);
  const told = { durable: 0 };
  try {
    await play(subject, disk, story, told);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  const where = `power cut at ${at.point}, crash seed ${at.seed}`;
  // Now and then only the process dies: then everything written is there, synced or not.
  const again = at.seed % 3 === 0 ? disk.kill() : disk.crash(at.seed);
  again.makeDir("copies");
  const machine = await openOn(subject, again);
  look(machine, story, told.durable, where);
  if (machine.appliedIndex() < COPY_AT && machine.appliedIndex() >= BEFORE - 2) {
    const [path, index] = at.seed % 2 === 0 ? [COPY, COPY_AT] : [OTHER, OTHER_AT];
    await worked(machine, machine.restore(path, index));
    look(machine, story, index, `${where}, restored again`);
  }
  await finish(machine, story);
  if (hex(machine.digest()) !== story.digest) throw new Broken(`${where}: another digest`);
  const durable = machine.durableIndex();
  const third = await openOn(subject, again.crash(at.seed + 1));
  look(third, story, durable, `${where}, and again`);
}

async function play(
  subject: Subject,
  disk: SimulatedDisk,
  story: Story,
  told: { durable: number },
): Promise<void> {
  const machine = await openOn(subject, disk);
  for (let from = 0; from < BEFORE; from += 3) {
    await apply(machine, story.entries.slice(from, Math.min(from + 3, BEFORE)));
    while (machine.step());
  }
  await worked(machine, machine.checkpoint());
  told.durable = machine.durableIndex();
  await worked(machine, machine.restore(COPY, COPY_AT));
  told.durable = machine.durableIndex();
  await finish(machine, story);
  await worked(machine, machine.close());
  told.durable = LAST;
}

async function finish(machine: KvMachine, story: Story): Promise<void> {
  while (machine.appliedIndex() < LAST) {
    const from = machine.appliedIndex();
    await apply(machine, story.entries.slice(from, from + 4));
    while (machine.step());
  }
}

/** Compares what is there with what should be there at its index. @throws Broken */
function look(machine: KvMachine, story: Story, least: number, where: string): void {
  const index = machine.appliedIndex();
  if (index < least) throw new Broken(`${where}: at ${index}, and ${least} was durable`);
  const all = { from: new Uint8Array(0), before: null, limit: 10_000, keysOnly: false };
  const found = machine.read({ kind: "range", ...all });
  const state = `${answerText(found)} ${machine.status().sessions}`;
  const wanted = story.states[index];
  if (state !== wanted) throw new Broken(`${where}: at ${index}: ${state}, want ${wanted}`);
}

function stateOf(model: KvModel): string {
  const range = model.range({ from: new Uint8Array(0), before: null, limit: 10_000 });
  return `${answerText({ kind: "entries", ...range })} ${model.sessions.length}`;
}

/** A disk with the copies on it, whole and durable, as the transfer leaves it. */
function prepared(story: Story): SimulatedDisk {
  const disk = freshDisk();
  for (const [path, content] of [
    [COPY, story.copy],
    [OTHER, story.other],
  ] as const) {
    const file = disk.open(path, "create-new");
    file.write(0, content);
    file.sync();
    file.close();
  }
  disk.syncDir("copies");
  return disk;
}

/** Counts a key up in a session, so that a command that ran twice would show. */
function commandAt(index: number, opened: Map<number, number>): KvCommand {
  if (index === 1) return { kind: "openSession" };
  // Only one of the two copies has it.
  if (index === OTHER_AT + 2) return command([put("later", PADDING)]);
  const once = opened.size > 0 && index < 12 ? { session: 1, serial: Math.ceil(index / 2) } : null;
  const name = `key ${index % 7}`;
  const count = { key: b(name), target: "revision", is: "equal", revision: 0 } as const;
  return command([put(name, `${index} ${PADDING}`)], {
    ...(once === null ? {} : { once }),
    conditions: index % 3 === 0 ? [count] : [],
    failure: [{ kind: "deleteRange", from: b("key"), before: b("key 3"), limit: 2 }],
  });
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
