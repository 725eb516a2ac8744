/**
 * The manifest while nothing fails, its format, and what damage does to it. Method: histories
 * against a plain state; every bit flipped, every length cut; random bytes into the decoder; a
 * golden file.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { InvariantError, isCairnError } from "#base";
import {
  decodeEdit,
  describeManifest,
  EMPTY_STATE,
  encodeEdit,
  encodeSnapshot,
  type ManifestState,
  openManifest,
  snapshotEdit,
} from "#lsm";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import { DIR, randomEdit, stateText, tableOf } from "./manifest-lab.ts";

const GOLDEN = fileURLToPath(new URL("./golden/manifest-v1.wal", import.meta.url));
const GOLDEN_STATE = GOLDEN.replace(".wal", ".json");
const none = { remove: [], add: [] } as const;

/** A manifest with some edits; the states after each. Killed, not closed. */
function made(edits: number, rollBytes = 100_000): { disk: SimulatedDisk; texts: string[] } {
  const disk = createSimulatedDisk();
  const { manifest, numbers } = openManifest({ disk, dir: DIR, rollBytes });
  const random = seededRandom(7);
  const texts = [stateText(manifest.state)];
  for (let i = 0; i < edits; i += 1) {
    manifest.apply(randomEdit(random, manifest.state, numbers.take()));
    texts.push(stateText(manifest.state));
  }
  return { disk: disk.kill(), texts };
}

function manifestFile(disk: SimulatedDisk): string {
  const dir = disk.list(DIR).find((name) => name.startsWith("manifest-"));
  return `${DIR}/${dir}/${disk.list(`${DIR}/${dir}`)[0]}`;
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

const codeOf = (work: () => unknown) => {
  const thrown = thrownBy(work);
  return isCairnError(thrown) ? thrown.code : thrown;
};

describe("opening", () => {
  test("04.4 an empty directory gets a manifest, and opening it again finds it", async () => {
    const disk = createSimulatedDisk();
    const first = openManifest({ disk, dir: DIR });
    expect(first.created).toBe(true);
    expect(stateText(first.manifest.state)).toBe(stateText(EMPTY_STATE));
    await first.manifest.close();
    const again = openManifest({ disk, dir: DIR });
    expect(again.created).toBe(false);
    expect(again.numbers.next).toBeGreaterThan(1);
    expect(again.removeLeftovers()).toEqual([]);
  });

  test("04.4 whether one may be there, and may be made, is up to the caller", () => {
    const disk = createSimulatedDisk();
    const missing = () => openManifest({ disk, dir: DIR, createIfMissing: false });
    expect(codeOf(missing)).toBe("LSM_NOT_FOUND");
    openManifest({ disk, dir: DIR });
    expect(codeOf(() => openManifest({ disk, dir: DIR, errorIfExists: true }))).toBe("LSM_EXISTS");
  });

  test.each(["000007.sst", "000007.sst.tmp", "log-000002", "lost"])(
    "L2 without CURRENT, but with %s, nothing is made anew",
    (name) => {
      const disk = createSimulatedDisk();
      disk.makeDir(DIR);
      if (name.includes("sst")) disk.open(`${DIR}/${name}`, "create-new").close();
      else disk.makeDir(`${DIR}/${name}`);
      const operations = disk.operations;
      expect(codeOf(() => openManifest({ disk, dir: DIR }))).toBe("LSM_CORRUPT");
      expect(disk.operations).toBe(operations);
    },
  );

  test("L7 numbers begin above the manifest's, and above every name", () => {
    const { disk } = made(3);
    const { manifest } = openManifest({ disk, dir: DIR });
    manifest.apply({ ...none, nextNumber: 500 });
    const next = disk.kill();
    expect(openManifest({ disk: next.kill(), dir: DIR }).numbers.next).toBeGreaterThanOrEqual(500);
    const named = next.kill();
    named.open(`${DIR}/000812.sst.tmp`, "create-new").close();
    expect(openManifest({ disk: named, dir: DIR }).numbers.next).toBe(813);
  });

  test("L2 the caller may refuse the state, and then nothing was changed", () => {
    const { disk } = made(3);
    // A torn end, which opening would cut off.
    const file = disk.open(manifestFile(disk), "read-write");
    file.truncate(file.size() - 3);
    const operations = disk.operations;
    const refuse = () => {
      throw new RangeError("no");
    };
    expect(() => openManifest({ disk, dir: DIR, inspect: refuse })).toThrow("no");
    expect(disk.operations).toBe(operations);
  });
});

describe("an edit", () => {
  test("04.4 that does not fit is refused and not written", () => {
    const { disk, texts } = made(3);
    const { manifest } = openManifest({ disk, dir: DIR });
    const wrong = { remove: [{ level: 3, id: 999 }], add: [] };
    expect(() => manifest.apply(wrong)).toThrow(InvariantError);
    manifest.apply({ ...none, sequence: 1000 });
    const state = openManifest({ disk: disk.kill(), dir: DIR }).manifest.state;
    expect(state.sequence).toBe(1000);
    expect(texts).toHaveLength(4);
  });

  test("04.4 the file begins anew when it has grown, and the old one goes", async () => {
    const disk = createSimulatedDisk();
    const { manifest, numbers } = openManifest({ disk, dir: DIR, rollBytes: 300 });
    const [random, first] = [seededRandom(3), manifest.number];
    for (let i = 0; i < 40; i += 1) {
      const edit = randomEdit(random, manifest.state, numbers.take());
      if (i % 2 === 0) manifest.apply(edit);
      else await manifest.applyAsync(edit);
    }
    expect(manifest.number).toBeGreaterThan(first + 3);
    const text = stateText(manifest.state);
    await manifest.close();
    expect(disk.list(DIR)).toHaveLength(2);
    expect(stateText(openManifest({ disk, dir: DIR }).manifest.state)).toBe(text);
    await expect(manifest.applyAsync(none)).rejects.toThrow(/closed/);
  });

  test("04.4 a manifest that cannot begin anew goes on as it is", async () => {
    const disk = createSimulatedDisk();
    const { manifest } = openManifest({ disk, dir: DIR, rollBytes: 1 });
    manifest.apply({ ...none, sequence: 1 });
    disk.plan({ operation: "open", fault: "ENOSPC", after: 0, times: 3 });
    for (let sequence = 2; sequence < 9; sequence += 1) manifest.apply({ ...none, sequence });
    await manifest.close();
    expect(openManifest({ disk, dir: DIR }).manifest.state.sequence).toBe(8);
  });
});

describe("damage", () => {
  test("04.4 with any bit flipped, it is an earlier state as the log has it, or refused", () => {
    const { disk, texts } = made(3);
    const path = manifestFile(disk);
    const bytes = disk.content(path).length;
    const sizes = describeManifest({ disk, path }).edits.map((edit) => edit.offset);
    for (let bit = 0; bit < bytes * 8; bit += 1) {
      const copy = disk.kill();
      copy.flipBit(path, bit >> 3, bit & 7);
      judgeDamaged(copy, texts, bit >> 3 >= sizes.at(-1)! ? 2 : null);
    }
  });

  test("04.4 cut off anywhere, it is an earlier state, or refused", () => {
    const { disk, texts } = made(6);
    const path = manifestFile(disk);
    const { edits } = describeManifest({ disk, path });
    const bytes = disk.content(path).length;
    for (let cut = 0; cut < bytes; cut += 1) {
      const copy = disk.kill();
      copy.open(path, "read-write").truncate(cut);
      const whole = edits.filter((edit) => edit.offset + edit.bytes <= cut).length;
      judgeDamaged(copy, texts, whole === 0 ? null : whole - 1);
    }
  });

  test("04.4 a damaged CURRENT is refused, in any bit and at any length", () => {
    const { disk } = made(2);
    const path = `${DIR}/CURRENT`;
    for (let bit = 0; bit < 24 * 8; bit += 1) {
      const copy = disk.kill();
      copy.flipBit(path, bit >> 3, bit & 7);
      judgeDamaged(copy, [], null);
      const short = disk.kill();
      short.open(path, "read-write").truncate(bit >> 3);
      judgeDamaged(short, [], null);
    }
  });

  test("L2 CURRENT that names nothing is refused, and nothing is made in its place", () => {
    const { disk } = made(2);
    disk.unlink(manifestFile(disk));
    judgeDamaged(disk, [], null);
    expect(disk.list(`${DIR}/manifest-000001`)).toEqual([]);
  });
});

/** @param position - the state it must open to; null: it must be refused, with a place. */
function judgeDamaged(disk: SimulatedDisk, texts: string[], position: number | null): void {
  const operations = disk.operations;
  const thrown = thrownBy(() => {
    const { manifest } = openManifest({ disk, dir: DIR });
    expect(stateText(manifest.state)).toBe(texts[position ?? -1]);
  });
  if (position !== null) {
    expect(thrown).toBeNull();
    return;
  }
  if (!isCairnError(thrown)) throw thrown;
  expect(["LSM_CORRUPT", "WAL_CORRUPT"]).toContain(thrown.code);
  expect(thrown.details["file"]).toContain(DIR);
  expect(thrown.details["offset"]).toBeTypeOf("number");
  expect(disk.operations, "what is refused is left alone").toBe(operations);
}

describe("the format", () => {
  test("04.4 what is decoded is what was encoded", () => {
    forEachSeed(40, (_, random) => {
      let state: ManifestState = { ...EMPTY_STATE, nextNumber: 1000 };
      for (let id = 1; id < 20; id += 1) {
        const edit = randomEdit(random, state, id);
        expect(decodeEdit(encodeEdit(edit))).toEqual({ kind: 1, edit });
        const opened = openWith(state);
        expect(stateText(opened)).toBe(stateText(state));
        state = { ...opened, sequence: opened.sequence + 1 };
      }
    });
  });

  test("04.4 the layout is the documented one", () => {
    const table = tableOf(300, { smallest: "a", largest: "bc" }, 7);
    const edit = {
      remove: [{ level: 1, id: 5 }],
      add: [{ level: 2, run: 9, table }],
      ...{ logFrom: 3, sequence: 130 },
    };
    const [head, removed, added] = ["01" + "0a" + "03" + "8201", "01" + "0105", "01" + "0209"];
    const meta = "ac02" + "940a" + "0a" + "00" + "01" + "07" + "0161" + "026263";
    expect(Buffer.from(encodeEdit(edit)).toString("hex")).toBe(head + removed + added + meta);
  });

  test("04.4 a manifest written by an earlier version is read: the golden file", () => {
    const golden = createSimulatedDisk();
    openManifest({ disk: golden, dir: DIR });
    const handle = golden.open(manifestFile(golden), "read-write");
    handle.truncate(0);
    handle.write(0, readFileSync(GOLDEN));
    const { manifest } = openManifest({ disk: golden.kill(), dir: DIR });
    const expected: unknown = JSON.parse(readFileSync(GOLDEN_STATE, "utf8"));
    expect(JSON.parse(stateText(manifest.state))).toEqual(expected);
  });

  test("04.4 random bytes and mutated edits are refused with a code, and take no memory", () => {
    const edit = { ...snapshotEdit(openWith(EMPTY_STATE)), remove: [{ level: 0, id: 4 }] };
    const table = tableOf(9, { smallest: "key", largest: "key 2" });
    const whole = encodeEdit({ ...edit, add: [{ level: 1, run: 2, table }] });
    forEachSeed(3000, (_, random) => {
      const bytes = random.below(2) === 0 ? random.bytes(random.below(60)) : whole.slice();
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      const cut = bytes.subarray(0, random.below(bytes.length + 1));
      const thrown = thrownBy(() => decodeEdit(cut));
      if (thrown !== null) expect(isCairnError(thrown, "BYTES_MALFORMED"), `${thrown}`).toBe(true);
    });
  });

  test("04.4 a description names each edit with its place, damaged or not", () => {
    const { disk } = made(5);
    const path = manifestFile(disk);
    const sound = describeManifest({ disk, path: `${DIR}/CURRENT` });
    expect(sound).toMatchObject({ given: "CURRENT", problems: [], droppedBytes: 0 });
    expect(sound.edits.map(({ kind }) => kind)).toEqual(["snapshot", ...Array(5).fill("edit")]);
    expect(sound.edits[1]!.lines.join("\n")).toMatch(/add to level 0, run \d+: table \d+: "key/);
    disk.flipBit(path, sound.edits[3]!.offset + 30, 1);
    const rotten = describeManifest({ disk, path });
    expect(rotten.edits).toHaveLength(3);
    expect(rotten.problems.join()).toContain(`${path} at byte ${sound.edits[3]!.offset}`);
    disk.flipBit(`${DIR}/CURRENT`, 17, 1);
    const current = describeManifest({ disk, path: `${DIR}/CURRENT` });
    expect(current).toMatchObject({ dir: null, state: null });
    expect(current.problems.join()).toContain("checksum");
  });
});

/** The state that a snapshot of a state decodes to. */
function openWith(state: ManifestState): ManifestState {
  const { edit } = decodeEdit(encodeSnapshot(state));
  const disk = createSimulatedDisk();
  const { manifest } = openManifest({ disk, dir: DIR });
  manifest.apply({ ...edit, nextNumber: Math.max(2, edit.nextNumber ?? 0) });
  return manifest.state;
}
