/**
 * Step 00.1: a note that somebody was told is saved. Method: save it, cut the power, restart, read.
 */
import { type Check, fail } from "#learn";
import { createSimulatedDisk, mixSeeds } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { aside, contentAt, contentInWords, storyOf } from "./disk-story.ts";
import type { BytesSubject } from "./subject.ts";

const PATH = "notes/today";
const TEXT = "Bob owes Ann 20 euro";
const NOTE = new TextEncoder().encode(TEXT);
/** Enough that a note without a sync is lost in one of them. */
const POWER_CUTS = 40;

function diskWithNote(subject: BytesSubject): SimulatedDisk {
  const disk = createSimulatedDisk();
  disk.makeDir("notes");
  subject.saveNote(disk, PATH, NOTE);
  return disk;
}

function isNote(found: Uint8Array | null): boolean {
  return found !== null && Buffer.compare(found, NOTE) === 0;
}

const canBeRead: Check<BytesSubject> = {
  name: "a note that was saved can be read",
  kind: "unit",
  rule: "D0",
  run(subject) {
    const disk = diskWithNote(subject);
    const found = contentAt(disk, PATH);
    if (isNote(found)) return;
    fail({
      happened:
        `Your saveNote was given the path "${PATH}" and ${NOTE.length} bytes. It returned, and ` +
        `the file ${contentInWords(found)}. Nothing had happened to the disk.`,
      why: "The note is not even there without a power cut.",
      ...(found === null ? {} : { bytes: { title: PATH, bytes: found } }),
      timeline: storyOf(disk),
    });
  },
};

const survives: Check<BytesSubject> = {
  name: "a note survives the power cut that follows saveNote",
  kind: "crash",
  rule: "D0",
  run(subject, { seed }) {
    const losses: { cut: number; found: Uint8Array | null }[] = [];
    for (let cut = 0; cut < POWER_CUTS; cut += 1) {
      const found = contentAt(diskWithNote(subject).crash(mixSeeds(seed, cut)), PATH);
      if (!isNote(found)) losses.push({ cut, found });
    }
    // A file of the right size shows best what is missing: its bytes.
    const shown = losses.find(({ found }) => found?.length === NOTE.length) ?? losses[0];
    if (shown === undefined) return;
    fail({
      happened:
        `Your saveNote wrote a note of ${NOTE.length} bytes ("${TEXT}") and returned, so ` +
        'somebody was told: "saved". Then the power was cut. After the restart the note should ' +
        `be whole, but ${PATH} ${contentInWords(shown.found)}. We tried ${POWER_CUTS} power ` +
        `cuts: ${losses.length} of them took the note, or a part of it.`,
      why:
        "A write goes to the page cache, which is memory. Whoever was told that the note is " +
        "saved has thrown the paper away.",
      ...(shown.found === null || shown.found.length === 0
        ? {}
        : { bytes: { title: `${PATH} after the restart`, bytes: shown.found } }),
      timeline: [
        ...storyOf(diskWithNote(subject)),
        aside('saveNote returns: "saved"'),
        aside(`the power is cut (number ${shown.cut + 1} of ${POWER_CUTS})`),
        aside(`restart: ${PATH} ${contentInWords(shown.found)}`),
      ],
    });
  },
};

/** The checks of step 00.1. */
export const firstChecks: readonly Check<BytesSubject>[] = [canBeRead, survives];
