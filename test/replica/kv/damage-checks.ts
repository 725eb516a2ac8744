/**
 * A copy with something wrong with it must be refused, and change nothing. Support for the tests.
 */
import { isCairnError } from "#base";
import { seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { Broken, type Story } from "./crash-lab.ts";
import { apply, freshDisk, openOn, type Subject, worked } from "./support.ts";

const COPY = "copies/in-30";
const BYTES_TRIED = 60;

/**
 * Cuts the copy, flips bits, adds bytes, exchanges blocks, lies about the index. @throws Broken
 *
 * @returns how many damages were tried.
 */
export async function damages(subject: Subject, story: Story): Promise<number> {
  const disk = freshDisk();
  const machine = await openOn(subject, disk);
  await apply(machine, story.entries.slice(0, 9));
  const before = hex(machine.digest());
  let tried = 0;
  for (const { name, content, index = 30 } of damaged(story.copy)) {
    place(disk, content);
    let refused = false;
    try {
      await worked(machine, machine.restore(COPY, index));
    } catch (error) {
      refused = isCairnError(error, "REPLICA_SNAPSHOT_INVALID");
      if (!refused) throw new Broken(`${name}: refused with ${error}`);
    }
    if (!refused) throw new Broken(`${name}: believed`);
    if (hex(machine.digest()) !== before) throw new Broken(`${name}: refused, and changed`);
    tried += 1;
  }
  place(disk, story.copy);
  await worked(machine, machine.restore(COPY, 30));
  await apply(machine, story.entries.slice(30));
  if (hex(machine.digest()) !== story.digest) throw new Broken("the sound copy: another digest");
  return tried;
}

function* damaged(
  copy: Uint8Array,
): Generator<{ readonly name: string; readonly content: Uint8Array; readonly index?: number }> {
  const random = seededRandom(3);
  for (let n = 0; n < BYTES_TRIED; n += 1) {
    const at = n < 40 ? n : random.below(copy.length);
    const flipped = copy.slice();
    flipped[at] = flipped[at]! ^ (1 << random.below(8));
    yield { name: `bit of byte ${at} flipped`, content: flipped };
    yield { name: `cut at ${at}`, content: copy.slice(0, at) };
  }
  yield { name: "cut before the last block", content: copy.slice(0, copy.length - 8) };
  yield { name: "with a byte more", content: Uint8Array.of(...copy, 0) };
  yield { name: "nothing", content: new Uint8Array(0) };
  yield { name: "at another index", content: copy, index: 31 };
}

function place(disk: SimulatedDisk, content: Uint8Array): void {
  const file = disk.open(COPY, "read-write");
  file.truncate(0);
  file.write(0, content);
  file.close();
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
