/**
 * Fetches the state anew, from the leader: for a node whose own state differs.
 *
 * The log and the vote stay: what this node has acknowledged and promised must hold. Only the state
 * machine is replaced, by a copy of the leader's that holds nothing but what is committed; if the
 * log does not reach that far, it begins anew behind it. The file `reinstall.json` stands in the
 * data directory until that is done. Invariant: between the moment a difference is known and the
 * moment the copy is in place, this node serves and votes for nobody. Chapter: 08-replica.
 */
import { assert, type Bytes, CairnError, type Cancel, errorText, type Ms } from "#base";
import type { Clock, Disk, Random } from "#platform/types";
import type { Index } from "#raft/types";
import { configurationFrom } from "./configuration.ts";
import { readJsonFile, removeJsonFile, writeJsonFile } from "./json-file.ts";
import type { RpcClient } from "./rpc.ts";
import { checksumOf, inPath, removeFile } from "./snapshot-files.ts";
import type { Applier, Member, RaftLog, Replica, SnapshotOffer } from "./types.ts";

const OFFER_METHOD = "replica.offer";
const CHUNK_METHOD = "replica.chunk";
const CHUNK_BYTES = 1024 * 1024;
/** A copy of a large state takes its time. */
const OFFER_TIMEOUT_MS: Ms = 120_000;
const CHUNK_TIMEOUT_MS: Ms = 10_000;
const RETRY_MS: Ms = 500;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** See the file's header. */
export interface Reinstall {
  /** Notes durably that the state is wrong. */
  demand(): void;
  /** Tells whether it was noted and not done yet. */
  isDue(): boolean;
  /** Fetches and installs; tries until stopped. @returns the index of the state, if not stopped. */
  run(): Promise<Index | undefined>;
  stop(): void;
}

export interface ReinstallParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly dataDir: string;
  readonly log: RaftLog;
  readonly applier: Applier;
  readonly rpc: RpcClient;
  readonly peers: () => readonly Member[];
  readonly onNotice: (text: string) => void;
}

class LeaderReinstall implements Reinstall {
  readonly #parts: ReinstallParts;
  readonly #markPath: string;
  #isStopped = false;
  #cancelPause: Cancel = () => undefined;
  #wake: () => void = () => undefined;

  constructor(parts: ReinstallParts) {
    this.#parts = parts;
    this.#markPath = `${parts.dataDir}/reinstall.json`;
  }

  demand(): void {
    writeJsonFile(this.#parts.disk, this.#markPath, { version: 1 });
  }

  isDue(): boolean {
    const { disk } = this.#parts;
    return readJsonFile(disk, this.#markPath, "REPLICA_IDENTITY_MISMATCH") !== undefined;
  }

  async run(): Promise<Index | undefined> {
    const { peers, disk, dataDir, onNotice } = this.#parts;
    disk.makeDir(`${dataDir}/snapshots`);
    while (!this.#isStopped) {
      for (const { id, address } of peers()) {
        if (this.#isStopped) return undefined;
        try {
          return await this.#fetchFrom(address);
        } catch (error) {
          if (!(error instanceof CairnError)) throw error;
          onNotice(`state not fetched from ${id}: ${errorText(error)}`);
        }
      }
      await this.#pause();
    }
    return undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelPause();
    this.#wake();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#cancelPause = this.#parts.clock.after(RETRY_MS, resolve);
    });
  }

  async #fetchFrom(address: string): Promise<Index> {
    const { rpc, disk, dataDir, applier } = this.#parts;
    const nothing = new Uint8Array(0);
    const offer = decodeOffer(await rpc.call(address, OFFER_METHOD, nothing, OFFER_TIMEOUT_MS));
    const { index, copy } = offer;
    if (index < this.#parts.log.compactedIndex) {
      throw new CairnError("REPLICA_SNAPSHOT_MISSING", `replica: the copy ends at ${index}`);
    }
    const path = inPath(`${dataDir}/snapshots`, index, copy);
    removeFile(disk, path);
    await this.#download(address, offer, path);
    await this.#prepareLog(offer);
    await applier.install(path, index);
    removeFile(disk, path);
    removeJsonFile(disk, this.#markPath);
    return index;
  }

  async #download(address: string, offer: SnapshotOffer, path: string): Promise<void> {
    const { rpc, disk, clock } = this.#parts;
    const file = disk.open(path, "create-new");
    try {
      for (let offset = 0; offset < offer.totalBytes; ) {
        const request = encoder.encode(JSON.stringify({ copy: offer.copy, offset }));
        const chunk = await rpc.call(address, CHUNK_METHOD, request, CHUNK_TIMEOUT_MS);
        if (chunk.length === 0) throw damaged(`copy ${offer.copy} ends at ${offset}`);
        file.write(offset, chunk);
        offset += chunk.length;
      }
      await file.syncAsync();
      const checksum = await checksumOf(file, clock);
      if (checksum !== offer.checksum) throw damaged(`copy ${offer.copy} is damaged`);
    } finally {
      file.close();
    }
    disk.syncDir(`${this.#parts.dataDir}/snapshots`);
  }

  /** The log keeps what is behind the copy, if it has it in common with the leader's. */
  async #prepareLog({ index, term, copy, configuration }: SnapshotOffer): Promise<void> {
    const { log } = this.#parts;
    const isInside = index > log.compactedIndex && index <= log.lastIndex;
    if (index === log.compactedIndex) return;
    if (isInside && log.read(index, index + 1)[0]?.term === term) return;
    log.write({ reset: { index, term, configuration, copy } });
    await log.sync();
  }
}

const damaged = (problem: string): CairnError =>
  new CairnError("REPLICA_FRAME_CORRUPT", `replica: ${problem}`);

/** @throws `REPLICA_FRAME_CORRUPT` */
function decodeOffer(payload: Bytes): SnapshotOffer {
  try {
    const offer = JSON.parse(decoder.decode(payload)) as SnapshotOffer;
    const numbers = [offer.index, offer.term, offer.copy, offer.totalBytes, offer.checksum];
    assert(numbers.every(Number.isSafeInteger), "replica: an offer has its numbers");
    const { configuration } = offer;
    const checked = configurationFrom(configuration.configuration);
    return { ...offer, configuration: { ...configuration, configuration: checked } };
  } catch (error) {
    throw damaged(`offer of a copy: ${errorText(error)}`);
  }
}

/** Answers another node's reinstallation; undefined: the call is for somebody else. */
export function answerSnapshotCall(
  current: () => Replica | undefined,
  method: string,
  payload: Bytes,
): Promise<Bytes> | undefined {
  if (method !== OFFER_METHOD && method !== CHUNK_METHOD) return undefined;
  const answer = async (): Promise<Bytes> => {
    const replica = current();
    // Only the leader's state counts as right: it was compared with a majority's.
    if (replica?.status().role !== "leader") {
      throw new CairnError("REPLICA_NOT_LEADER", "replica: not leader");
    }
    if (method === OFFER_METHOD) {
      return encoder.encode(JSON.stringify(await replica.offerSnapshot()));
    }
    const { copy, offset } = JSON.parse(decoder.decode(payload)) as Record<string, number>;
    return replica.readSnapshot(copy ?? 0, offset ?? 0, CHUNK_BYTES);
  };
  return answer();
}

/** Makes the reinstallation of one node. */
export function createReinstall(parts: ReinstallParts): Reinstall {
  return new LeaderReinstall(parts);
}
