/**
 * Commits of several clients that overlap, some synced and some not, with the power failing at any
 * operation of the disk. Support for the tests.
 *
 * Every commit writes its number into several keys of its own and into one that all share. After
 * the crash those that are there are the first ones in the order of their timestamps (T2, T3).
 */
import { isCairnError } from "#base";
import type { MvccOptions } from "#mvcc/types";
import { createSimulatedClock, createSimulatedDisk, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { Broken, wasPowerCut } from "./crash-lab.ts";
import { content, drain, open, type Subject, write } from "./support.ts";

const ROUNDS = 8;
const CLIENTS = 4;

/** A commit that was answered. */
interface Answer {
  readonly number: number;
  readonly timestamp: number;
  readonly sync: boolean;
}

/** Disk operations of the whole history: the crash points. */
export async function overlapPoints(
  subject: Subject,
  options: Partial<MvccOptions>,
): Promise<number> {
  const disk = createSimulatedDisk();
  await play(subject, disk, options, []);
  return disk.operations;
}

/** One run. @throws Broken */
export async function overlapRun(
  subject: Subject,
  options: Partial<MvccOptions>,
  at: { readonly point: number; readonly seed: number },
): Promise<void> {
  const disk = createSimulatedDisk({ seed: at.point + 1 });
  disk.cutPowerAt(at.point);
  const answers: Answer[] = [];
  try {
    await play(subject, disk, options, answers);
  } catch (error) {
    if (!wasPowerCut(error)) throw error;
  }
  const mvcc = await open(disk.crash(at.seed), options, subject);
  look(content(mvcc), answers);
  const transaction = mvcc.begin();
  write(transaction, { after: "1" });
  const timestamp = await transaction.commit({ sync: true });
  for (const answer of answers) {
    if (answer.timestamp >= timestamp) throw new Broken(`T3: ${timestamp} after a restart`);
  }
  await mvcc.close();
}

/** Each round, several commits in one turn; some of them meet. */
async function play(
  subject: Subject,
  disk: SimulatedDisk,
  options: Partial<MvccOptions>,
  answers: Answer[],
): Promise<void> {
  const random = seededRandom(5);
  const clock = createSimulatedClock();
  const mvcc = await open(disk, { clock, ...options }, subject);
  for (let round = 0; round < ROUNDS; round += 1) {
    const commits = Array.from({ length: CLIENTS }, async (_, client) => {
      const number = 1 + round * CLIENTS + client;
      const sync = random.below(2) === 0;
      const transaction = mvcc.begin();
      const text = `${number}`.padEnd(1 + random.below(250), ".");
      write(transaction, { [`a/${number}`]: text, [`z/${number}`]: text });
      // Two of each four want the same key.
      write(transaction, { [`shared/${client % 3}`]: text });
      const timestamp = await transaction.commit({ sync });
      answers.push({ number, timestamp, sync });
    });
    for (const outcome of await Promise.allSettled(commits)) {
      if (outcome.status === "fulfilled") continue;
      if (!isCairnError(outcome.reason, "MVCC_CONFLICT")) throw outcome.reason;
    }
    clock.advance(600);
    if (round % 3 === 2) await mvcc.collect();
    else drain(mvcc);
  }
  await mvcc.close();
}

function look(found: Readonly<Record<string, string>>, answers: readonly Answer[]): void {
  const isThere = (number: number): boolean => {
    const [one, other] = [found[`a/${number}`], found[`z/${number}`]];
    if (one !== other) throw new Broken(`T2: half of commit ${number}: ${one}, ${other}`);
    return one !== undefined;
  };
  const numbers = Array.from({ length: ROUNDS * CLIENTS }, (_, i) => i + 1);
  for (const number of numbers) isThere(number);
  const ordered = [...answers].sort((one, other) => one.timestamp - other.timestamp);
  const through = ordered.findLastIndex(({ number }) => isThere(number));
  for (const { number } of ordered.slice(0, Math.max(0, through))) {
    if (!isThere(number)) throw new Broken(`T3: commit ${number} is gone, and a later one is not`);
  }
  const synced = ordered.findLastIndex(({ sync }) => sync);
  if (synced > through) throw new Broken(`T2: commit ${ordered[synced]!.number} was synced`);
  for (const [key, value] of Object.entries(found)) {
    if (!key.startsWith("shared/")) continue;
    if (!isThere(Number.parseInt(value, 10))) throw new Broken(`T2: half of a commit: ${key}`);
  }
}
