/**
 * The crash lab of chapter 02: a durable map whose power is cut at every operation of the disk.
 *
 * One run: play the history up to the cut, let the crash keep what the seed says, reopen, judge;
 * cut the power again while it reopens, reopen, judge; write three changes more, crash, judge.
 */
import type { Bytes } from "#base";
import { type CrashLab, fail } from "#learn";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { bytesOf, textOf } from "../model.ts";
import type { Change, DurableMap, Subject } from "./subject.ts";
import { shown } from "./tools.ts";

export const DIR = "map";

/** What one call writes, or that the map is closed and opened again. */
type Step = readonly (readonly [key: string, value: string | null])[] | "reopen";

/** Values of more than a sector: a smaller record hides a torn write. */
const long = (letter: string): string => letter.repeat(700);

const HISTORY: readonly Step[] = [
  [["apple", "1"]],
  [["pear", long("p")]],
  [["apple", null]],
  [
    ["from", long("a")],
    ["to", long("b")],
  ],
  [["never", null]],
  [["apple", "2"]],
  "reopen",
  [["pear", "small"]],
  [
    ["from", null],
    ["to", long("c")],
    ["pear", null],
    ["pear", "again"],
  ],
  [["to", null]],
  [["plum", ""]],
];

/** What a map holds, by key. */
export type Content = ReadonlyMap<string, string>;

/** The content with the changes of one call on top. */
export function withChanges(content: Content, step: Step): Content {
  const next = new Map(content);
  if (step === "reopen") return next;
  for (const [key, value] of step) {
    if (value === null) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

/** Makes one call with all changes of a step. */
export function callWith(map: DurableMap, step: Exclude<Step, "reopen">): Promise<void> {
  const changes: Change[] = step.map(([key, value]) => ({
    key: bytesOf(key),
    value: value === null ? null : bytesOf(value),
  }));
  const [first, second] = changes;
  if (first === undefined || second !== undefined) return map.batch(changes);
  return first.value === null ? map.delete(first.key) : map.put(first.key, first.value);
}

/** What a map shows: by its scan, and then by asking for each key. */
export function contentOf(map: DurableMap): Content {
  const content = new Map<string, string>();
  for (const { key, value } of map.scan()) content.set(textOf(key), textOf(value));
  for (const key of KEYS) {
    const found: Bytes | undefined = map.get(bytesOf(key));
    const scanned = content.get(key);
    if ((found === undefined ? undefined : textOf(found)) === scanned) continue;
    fail({
      happened: `A map was opened and read. For ${shown(key)} its scan gives ${valueText(scanned)}, so get should give the same. Yours gave ${valueText(found && textOf(found))}.`,
      why: "Two ways of reading that disagree are two databases.",
      rule: "M3",
    });
  }
  return content;
}

const KEYS = ["apple", "pear", "from", "to", "never", "plum", "more"];

/** What was acknowledged when the power went, and what was under way. */
interface Known {
  readonly acknowledged: Content;
  readonly calls: readonly string[];
  /** What the map may hold: as acknowledged, or with the call under way as well. */
  readonly lawful: readonly Content[];
}

/** Plays the history. Ends early when the power goes. */
export async function play(subject: Subject, disk: SimulatedDisk): Promise<Known> {
  let acknowledged: Content = new Map();
  let lawful: readonly Content[] = [acknowledged];
  const calls: string[] = [];
  try {
    let map = subject.openDurableMap({ disk, dir: DIR });
    for (const step of HISTORY) {
      calls.push(stepText(step));
      if (step === "reopen") {
        await map.close();
        map = subject.openDurableMap({ disk, dir: DIR });
      } else {
        lawful = [acknowledged, withChanges(acknowledged, step)];
        await callWith(map, step);
        acknowledged = withChanges(acknowledged, step);
        lawful = [acknowledged];
      }
      calls.push(`${calls.pop()}: acknowledged`);
    }
    await map.close();
  } catch (error) {
    if (!isPowerCut(error)) throw error;
    calls.push(`${calls.pop() ?? "open"}: the power went`);
  }
  return { acknowledged, calls, lawful };
}

function stepText(step: Step): string {
  if (step === "reopen") return "close, open";
  const changes = step.map(([key, value]) =>
    value === null ? `delete ${shown(key)}` : `put ${shown(key)} = ${valueText(value)}`,
  );
  return changes.length === 1 ? changes[0]! : `batch: ${changes.join(", ")}`;
}

/** A value in a line: long ones by their length. */
function valueText(value: string | undefined): string {
  if (value === undefined) return "nothing";
  return value.length <= 12 ? shown(value) : `${value.length} × ${shown(value.charAt(0))}`;
}

function contentText(content: Content): string {
  if (content.size === 0) return "nothing";
  const keys = [...content.keys()].sort();
  return keys.map((key) => `${key} = ${valueText(content.get(key))}`).join(", ");
}

const isSame = (a: Content, b: Content): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);

/** Fails unless the content is one of the lawful ones. */
function judge(known: Known, found: Content, when: string, again: string): void {
  if (known.lawful.some((content) => isSame(content, found))) return;
  const [before, after] = known.lawful;
  const or =
    after === undefined ? "" : `, or, with the call that was under way, ${contentText(after)}`;
  fail({
    happened: `${when} the map should hold ${contentText(before!)}${or}. Yours holds ${contentText(found)}.`,
    why: "What was acknowledged, somebody has acted on: the money is paid out, the letter is sent. What was not yet acknowledged may be there whole, or not at all; half of a batch is money that left one account and reached no other.",
    timeline: known.calls.slice(-6),
    again,
  });
}

/** The crash lab. */
export const crashLab: CrashLab<Subject> = {
  about:
    "A durable map gets ten calls, among them deletions, a batch of two keys and one that writes a key twice, and is closed and opened once between. Values of 700 bytes lie across sectors.",
  seedsPerPoint: 10,
  async points(subject) {
    const disk = createSimulatedDisk();
    await play(subject, disk);
    return disk.operations;
  },
  async run(subject, { point, seed }) {
    const disk = createSimulatedDisk({ seed: point + 1 });
    disk.cutPowerAt(point);
    const known = await play(subject, disk);
    await afterCrash(subject, known, { disk: disk.crash(seed), point, seed });
  },
};

async function afterCrash(
  subject: Subject,
  known: Known,
  at: { readonly disk: SimulatedDisk; readonly point: number; readonly seed: number },
): Promise<void> {
  const again = `npx cairn crash 02 --point ${at.point} --seed ${at.seed}`;
  const cut = `The power was cut before operation ${at.point} of the disk. After it came back,`;
  const random = seededRandom(at.seed);
  const [disk, second] = [at.disk.kill(), at.disk.kill()];
  const map = subject.openDurableMap({ disk, dir: DIR });
  const found = contentOf(map);
  judge(known, found, cut, again);

  second.cutPowerAt(second.operations + random.below(disk.operations - second.operations + 1));
  try {
    subject.openDurableMap({ disk: second, dir: DIR });
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  const third = subject.openDurableMap({ disk: second.crash(at.seed), dir: DIR });
  judge(known, contentOf(third), `${cut} and went once more while your map was opening,`, again);

  // What was found was seen, so it counts as acknowledged from here on.
  let content = found;
  for (const step of MORE) {
    await callWith(map, step);
    content = withChanges(content, step);
  }
  const last = subject.openDurableMap({ disk: disk.crash(at.seed + 1), dir: DIR });
  const calls = [...known.calls, ...MORE.map((step) => `${stepText(step)}: acknowledged`)];
  const more = { acknowledged: content, calls, lawful: [content] };
  judge(more, contentOf(last), `${cut} three calls more, and another cut,`, again);
}

const MORE: readonly Exclude<Step, "reopen">[] = [
  [["more", long("m")]],
  [["pear", "last"]],
  [
    ["more", null],
    ["apple", long("z")],
  ],
];
