/**
 * One file of the simulated disk: what readers see, and what a crash may leave of it.
 *
 * Kept as an undo list: `#content` is what readers see, and every sector that is not known to be
 * durable also keeps the images that it had before, the oldest being the durable one. So a sync
 * only forgets images, and a crash only looks at sectors that changed. That makes tens of thousands
 * of crashes a second possible.
 *
 * Invariants: bytes of `#content` beyond `#size` are zero. A sector is in at most one of `#dirty`
 * and `#unknown`. The images of a sector are ordered from old to new.
 * Chapter: 00-bytes, rules D0-D4.
 */
import { assert } from "#base";
import type { Random } from "./types.ts";

/** What a drive writes as one: older than 4 KiB drives, and harsher, since more can tear. */
export const SECTOR_BYTES = 512;

/** Images kept per sector between two syncs. More would find little: all are "some older state". */
const IMAGES_MAX = 6;

/** How many of the lost sectors are torn instead, unless the crash keeps or loses everything. */
const TEAR_CHANCE = 0.2;

/** How often a lost size falls between those seen: the kernel grows a file in steps. */
const BETWEEN_CHANCE = 0.25;

const ZERO_SECTOR = new Uint8Array(SECTOR_BYTES);

/** A state that a write replaced, and the sync epoch of that write. */
interface Earlier<T> {
  readonly state: T;
  readonly epoch: number;
}

/** How much of the unsynced changes a crash keeps: 0 nothing, 1 everything, else a mixture. */
export type KeepChance = number;

class FileImages {
  #content: Uint8Array;
  #size: number;
  /** Writes of this epoch are covered by the next sync. */
  #epoch = 0;
  #dirty = new Map<number, Earlier<Uint8Array>[]>();
  /** Sectors of a failed sync: readable, no longer dirty, on disk or not (rule D4). */
  #unknown = new Map<number, Earlier<Uint8Array>[]>();
  #sizes: Earlier<number>[] = [];
  /** Epoch of the newest change. */
  #changedIn = -1;

  constructor(content: Uint8Array, size: number) {
    assert(content.length % SECTOR_BYTES === 0, "platform: a file image is whole sectors");
    this.#content = content;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, target: Uint8Array): number {
    const count = Math.min(target.length, this.#size - offset);
    if (count <= 0) return 0;
    target.set(this.#content.subarray(offset, offset + count));
    return count;
  }

  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const before = offset + bytes.length;
    this.#remember({ from: offset, before });
    if (before > this.#size) this.#resize(before);
    this.#content.set(bytes, offset);
  }

  truncate(size: number): void {
    if (size === this.#size) return;
    if (size < this.#size) {
      this.#remember({ from: size, before: this.#size });
      this.#content.fill(0, size, this.#size);
    }
    this.#resize(size);
  }

  /** Starts a sync. @returns the epoch that it covers: everything written before this call. */
  beginSync(): number {
    this.#epoch += 1;
    return this.#epoch - 1;
  }

  /** Ends a sync: what the epoch and those before it wrote is durable. */
  endSync(epoch: number): void {
    if (this.#changedIn <= epoch) {
      this.#dirty.clear();
      this.#sizes.length = 0;
      return;
    }
    for (const [sector, images] of this.#dirty) {
      const left = images.filter((image) => image.epoch > epoch);
      if (left.length === 0) this.#dirty.delete(sector);
      else this.#dirty.set(sector, left);
    }
    this.#sizes = this.#sizes.filter((earlier) => earlier.epoch > epoch);
  }

  /**
   * Ends a sync that failed: its sectors count as clean from now on, so that a later sync passes
   * over them, as Linux does. Only writing a sector again makes it dirty again. The size stays
   * dirty: a later sync makes growth durable whose data may be missing.
   */
  failSync(epoch: number): void {
    for (const [sector, images] of this.#dirty) {
      if (images.some((image) => image.epoch > epoch)) continue;
      this.#dirty.delete(sector);
      this.#unknown.set(sector, images);
    }
  }

  flipBit(offset: number, bit: number): void {
    if (!(offset >= 0 && offset < this.#size && bit >= 0 && bit < 8)) {
      throw new RangeError(`platform: no bit ${bit} of byte ${offset} in ${this.#size} bytes`);
    }
    const flip = (image: Uint8Array, at: number): void => {
      image[at] = (image[at] ?? 0) ^ (1 << bit);
    };
    flip(this.#content, offset);
    const sector = Math.floor(offset / SECTOR_BYTES);
    for (const histories of [this.#dirty, this.#unknown]) {
      const images = histories.get(sector);
      if (images === undefined) continue;
      // Images are shared with copies of this file, so the flipped ones are new.
      const flipped = images.map(({ state, epoch }) => ({ state: state.slice(), epoch }));
      for (const { state } of flipped) flip(state, offset % SECTOR_BYTES);
      histories.set(sector, flipped);
    }
  }

  content(): Uint8Array {
    return this.#content.slice(0, this.#size);
  }

  /** What is on the platter for certain; of sectors in doubt, the oldest image. */
  durable(): Uint8Array {
    const size = this.#sizes[0]?.state ?? this.#size;
    const content = this.#copy(Math.max(size, this.#size));
    for (const histories of [this.#dirty, this.#unknown]) {
      for (const [sector, images] of histories) {
        const start = sector * SECTOR_BYTES;
        if (start < content.length) content.set(images[0]?.state ?? ZERO_SECTOR, start);
      }
    }
    return content.slice(0, size);
  }

  /** A copy that shares nothing that changes: the same file after its process was killed. */
  clone(): FileImages {
    const copy = new FileImages(this.#content.slice(), this.#size);
    copy.#epoch = this.#epoch;
    for (const [sector, images] of this.#dirty) copy.#dirty.set(sector, images.slice());
    for (const [sector, images] of this.#unknown) copy.#unknown.set(sector, images.slice());
    copy.#sizes = this.#sizes.slice();
    copy.#changedIn = this.#changedIn;
    return copy;
  }

  /** The file as a crash may leave it; all of it durable. */
  crashed(random: Random, keep: KeepChance): FileImages {
    const size = this.#crashedSize(random, keep);
    const content = this.#copy(this.#sizes.reduce((m, s) => Math.max(m, s.state), this.#size));
    for (const histories of [this.#dirty, this.#unknown]) {
      for (const [sector, images] of histories) {
        this.#crashSector({ content, sector, images, random, keep });
      }
    }
    content.fill(0, size);
    return new FileImages(content, size);
  }

  #crashedSize(random: Random, keep: KeepChance): number {
    const first = this.#sizes[0];
    if (first === undefined || random.fraction() < keep) return this.#size;
    if (keep === 0) return first.state;
    const picked = this.#sizes[random.below(this.#sizes.length)]?.state ?? first.state;
    if (this.#size <= picked || random.fraction() >= BETWEEN_CHANCE) return picked;
    const sectors = Math.ceil((this.#size - picked) / SECTOR_BYTES);
    const step = Math.floor(picked / SECTOR_BYTES) + random.below(sectors + 1);
    return Math.min(Math.max(step * SECTOR_BYTES, picked), this.#size);
  }

  #crashSector(crash: {
    readonly content: Uint8Array;
    readonly sector: number;
    readonly images: readonly Earlier<Uint8Array>[];
    readonly random: Random;
    readonly keep: KeepChance;
  }): void {
    const { content, images, random, keep } = crash;
    const start = crash.sector * SECTOR_BYTES;
    if (start >= content.length) return;
    const chance = random.fraction();
    // Beyond the end there is no newer state: the truncate was lost, or the size hides the sector.
    const cut = start >= this.#size;
    if (chance < keep && !cut) return;
    const older = keep === 0 ? images[0] : images[random.below(images.length)];
    if (older === undefined) return;
    const target = content.subarray(start, start + SECTOR_BYTES);
    const torn = keep !== 0 && !cut && random.fraction() < TEAR_CHANCE;
    if (torn) tear(target, older.state, random);
    else target.set(older.state);
  }

  /** The copy is whole sectors, at least `bytes` long. */
  #copy(bytes: number): Uint8Array {
    const copy = new Uint8Array(wholeSectors(bytes));
    copy.set(this.#content.subarray(0, Math.min(copy.length, this.#content.length)));
    return copy;
  }

  /** Keeps the images of the sectors that are about to change. */
  #remember(range: { readonly from: number; readonly before: number }): void {
    this.#changedIn = this.#epoch;
    const last = Math.floor((range.before - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(range.from / SECTOR_BYTES); sector <= last; sector += 1) {
      let images = this.#dirty.get(sector);
      if (images === undefined) {
        // The doubt about a sector ends when it is written again and then synced: the images move.
        images = this.#unknown.get(sector)?.map(({ state }) => ({ state, epoch: this.#epoch }));
        if (images === undefined) images = [];
        else this.#unknown.delete(sector);
        this.#dirty.set(sector, images);
      }
      const newest = images[images.length - 1];
      // The first image of an epoch is what a sync that is under way makes durable: never skipped.
      if (newest?.epoch === this.#epoch && images.length >= IMAGES_MAX) continue;
      images.push({ state: this.#sectorImage(sector), epoch: this.#epoch });
    }
  }

  #sectorImage(sector: number): Uint8Array {
    const start = sector * SECTOR_BYTES;
    if (start >= this.#size) return ZERO_SECTOR;
    return this.#content.slice(start, start + SECTOR_BYTES);
  }

  #resize(size: number): void {
    this.#changedIn = this.#epoch;
    const newest = this.#sizes[this.#sizes.length - 1];
    if (newest?.epoch !== this.#epoch || this.#sizes.length < IMAGES_MAX) {
      this.#sizes.push({ state: this.#size, epoch: this.#epoch });
    }
    if (size > this.#content.length) {
      const grown = new Uint8Array(wholeSectors(Math.max(size, this.#content.length * 2)));
      grown.set(this.#content);
      this.#content = grown;
    }
    this.#size = size;
  }
}

/** A file's images. */
export type SimulatedFile = FileImages;

/** Makes an empty file. */
export function createSimulatedFile(): SimulatedFile {
  return new FileImages(new Uint8Array(SECTOR_BYTES), 0);
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

/**
 * Puts half of the older image into the newer one, the cut being anywhere among the bytes that
 * differ: a cut in the middle of the sector would miss most small records.
 */
function tear(target: Uint8Array, older: Uint8Array, random: Random): void {
  let from = 0;
  while (from < SECTOR_BYTES && target[from] === older[from]) from += 1;
  if (from === SECTOR_BYTES) return;
  let before = SECTOR_BYTES;
  while (target[before - 1] === older[before - 1]) before -= 1;
  const cut = from + 1 + random.below(Math.max(1, before - from - 1));
  if (random.below(2) === 0) target.set(older.subarray(cut), cut);
  else target.set(older.subarray(0, cut));
}
