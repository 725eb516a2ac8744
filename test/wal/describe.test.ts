/**
 * A segment as people see it. Method: describe logs that are whole, torn, damaged and cut at every
 * byte, and compare with what recovery makes of the same bytes.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { isCairnError } from "#base";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { type DescribedFrame, describeSegment, isSegmentFile, openWal } from "#wal";

const DIR = "log";
const PATH = `${DIR}/0000000000000001.wal`;
const GOLDEN = fileURLToPath(new URL("./golden/segment-v1.wal", import.meta.url));
const HEADER_BYTES = 32;
const FRAME_BYTES = 25;

function diskWith(content: Uint8Array): SimulatedDisk {
  const disk = createSimulatedDisk();
  disk.makeDir(DIR);
  disk.open(PATH, "create-new").write(0, content);
  return disk;
}

/** The bytes of a log of three synced records of 10, 20 and 30 bytes, closed or not. */
async function threeRecords(options: { readonly close: boolean }): Promise<Uint8Array> {
  const disk = createSimulatedDisk();
  const { wal } = openWal({ disk, dir: DIR, preallocateBytes: 0 }, () => {});
  for (const bytes of [10, 20, 30]) {
    wal.append(new Uint8Array(bytes).fill(bytes));
    wal.sync();
  }
  const content = disk.content(PATH).slice();
  if (!options.close) return content;
  await wal.close();
  return disk.content(PATH);
}

function describe(content: Uint8Array) {
  const frames: DescribedFrame[] = [];
  const description = describeSegment({ disk: diskWith(content), path: PATH }, (frame) => {
    frames.push(frame);
  });
  return { description, frames };
}

test("a whole segment is sound, and each frame has its place", () => {
  const content = readFileSync(GOLDEN);
  const { description, frames } = describe(content);
  expect(description).toMatchObject({ number: 1, firstLsn: 1, verdict: "sound", problem: null });
  expect(description.records).toBe(3);
  const records = frames.filter(({ kind }) => kind === "record");
  expect(records.map(({ lsn, payload }) => [lsn, payload.length])).toEqual([
    [1, 3],
    [2, 0],
    [3, 200],
  ]);
  let offset = HEADER_BYTES;
  for (const frame of frames) {
    expect(frame.offset).toBe(offset);
    offset += frame.bytes;
  }
  expect(description.endOffset).toBe(offset);
});

test("a mark at the end shows what was durable", async () => {
  const { description, frames } = describe(await threeRecords({ close: true }));
  expect(frames.at(-1)).toMatchObject({ kind: "mark", lsn: 4, watermark: 3 });
  expect(description).toMatchObject({ marks: 1, durableLsn: 3, nextLsn: 4 });
});

test("room made ahead is neither torn nor damaged", async () => {
  const content = await threeRecords({ close: false });
  const roomy = new Uint8Array(content.length + 5000);
  roomy.set(content);
  expect(describe(roomy).description).toMatchObject({ verdict: "sound", droppedBytes: 0 });
});

test("a cut at every byte gives the frames before it and the place of the cut", async () => {
  const content = await threeRecords({ close: false });
  const ends = [HEADER_BYTES];
  for (const bytes of [10, 20, 30]) ends.push(ends.at(-1)! + FRAME_BYTES + bytes);
  for (let length = HEADER_BYTES; length <= content.length; length += 1) {
    const { description, frames } = describe(content.slice(0, length));
    const whole = ends.filter((end) => end <= length);
    expect(frames.length, `cut at ${length}`).toBe(whole.length - 1);
    const isAtEdge = whole.at(-1) === length;
    expect(description.verdict, `cut at ${length}`).toBe(isAtEdge ? "sound" : "torn");
    expect(description.problem?.offset, `cut at ${length}`).toBe(
      isAtEdge ? undefined : whole.at(-1),
    );
  }
});

test("a file shorter than its header is torn, not read beyond its end", () => {
  const content = readFileSync(GOLDEN).subarray(0, 20);
  expect(describe(content).description).toMatchObject({
    verdict: "torn",
    number: null,
    nextLsn: 0,
  });
});

test("damage in front of a later watermark is named, with its witness", async () => {
  const content = await threeRecords({ close: true });
  const second = HEADER_BYTES + FRAME_BYTES + 10;
  content[second + FRAME_BYTES] = 0xff;
  const { description, frames } = describe(content);
  expect(frames.map(({ lsn }) => lsn)).toEqual([1]);
  expect(description).toMatchObject({
    verdict: "damaged",
    problem: { offset: second, text: "record 2: checksum mismatch" },
    witnessOffset: second + FRAME_BYTES + 20,
  });
});

test("a damaged header hides no frame that can still be verified", async () => {
  const content = await threeRecords({ close: true });
  content[16] = 9;
  const { description, frames } = describe(content);
  expect(description).toMatchObject({ verdict: "damaged", number: null, problem: { offset: 0 } });
  expect(frames.filter(({ kind }) => kind === "record").length).toBe(3);
});

test("no flipped bit makes it throw or call sound what recovery refuses", async () => {
  const sound = await threeRecords({ close: true });
  for (let bit = 0; bit < sound.length * 8; bit += 1) {
    const content = sound.slice();
    content[bit >> 3] = content[bit >> 3]! ^ (1 << (bit & 7));
    const { description } = describe(content);
    expect(description.verdict, `bit ${bit}`).not.toBe("sound");
    const refused = refuses(content);
    if (refused) expect(description.verdict, `bit ${bit}`).toBe("damaged");
  }
});

function refuses(content: Uint8Array): boolean {
  try {
    openWal({ disk: diskWith(content), dir: DIR }, () => {});
    return false;
  } catch (error) {
    if (!isCairnError(error, "WAL_CORRUPT")) throw error;
    return true;
  }
}

test("a segment is known by its content", () => {
  const content = readFileSync(GOLDEN);
  expect(isSegmentFile(content.subarray(0, 16))).toBe(true);
  expect(isSegmentFile(content.subarray(0, 11))).toBe(false);
  expect(isSegmentFile(new Uint8Array(64))).toBe(false);
});
