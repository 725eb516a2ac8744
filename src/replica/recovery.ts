/**
 * Forced recovery: the operator says who the cluster is, because a majority is lost for good.
 *
 * The file `raft/peers.json` in the data directory lists the members; put the same file on each
 * of them.
 *
 * | field     | type    | meaning                                                                 |
 * | --------- | ------- | ----------------------------------------------------------------------- |
 * | id        | string  | the member's name; it must have been a member, or be this node          |
 * | address   | string  | where its peers reach it from now on                                    |
 * | non_voter | boolean | it gets the log and does not vote; false if missing                     |
 *
 * At the next start the new members are written into the log, one epoch further, and the file is
 * renamed to `peers.info`. Nodes of the older epoch are refused from then on. Rule for what was not
 * known to be committed: all of it is kept. An entry that a client was told of may stand on this
 * node alone, and nobody is left to ask; so an entry that nobody was told of may come back as well.
 * Invariant: nothing is changed before the file was found sound. Chapter: 08-replica.
 */
import { CairnError } from "#base";
import { directoryOf } from "#bytes";
import type { Disk } from "#platform/types";
import type { Index } from "#raft/types";
import { NO_SETS, sharedName } from "./configuration.ts";
import { readJsonFile, removeJsonFile, writeJsonFile } from "./json-file.ts";
import type { Configuration, Identity, Member, RaftLog } from "./types.ts";

/** What a recovery would do. */
export interface RecoveryPreview {
  readonly before: Configuration;
  readonly after: Configuration;
  readonly lastIndex: Index;
  /** Certainly committed up to here. */
  readonly appliedIndex: Index;
  /** Entries behind it, which may or may not have been committed, and are kept. */
  readonly openEntries: number;
  /** Members that are there no more. */
  readonly lost: readonly Member[];
}

interface ListedPeer {
  readonly id: string;
  readonly address: string;
  readonly non_voter?: boolean;
}

const refused = (path: string, problem: string): CairnError =>
  new CairnError("REPLICA_RECOVERY_INVALID", `replica: ${path}: ${problem}`);

function isPeer(value: unknown): value is ListedPeer {
  if (typeof value !== "object" || value === null) return false;
  const { id, address, non_voter } = value as Record<string, unknown>;
  const isText = (text: unknown): boolean => typeof text === "string" && text !== "";
  return isText(id) && isText(address) && [undefined, true, false].includes(non_voter as boolean);
}

/**
 * Reads the file and says what it would do; undefined if there is none. Changes nothing.
 *
 * @throws `REPLICA_RECOVERY_INVALID`
 */
export function previewRecovery(options: {
  readonly disk: Disk;
  readonly dataDir: string;
  readonly identity: Identity;
  readonly log: RaftLog;
  readonly appliedIndex: Index;
}): RecoveryPreview | undefined {
  const { disk, dataDir, identity, log, appliedIndex } = options;
  const path = `${dataDir}/raft/peers.json`;
  const listed = readJsonFile(disk, path, "REPLICA_RECOVERY_INVALID");
  if (listed === undefined) return undefined;
  if (!Array.isArray(listed) || !listed.every(isPeer)) {
    throw refused(path, "not a list of members with id and address");
  }
  const before = log.inForce?.configuration;
  if (before === undefined) throw refused(path, "this node belongs to no cluster yet");
  const after = recovered(path, before, listed, identity);
  const lost = before.members.filter(({ id }) => !after.members.some((other) => other.id === id));
  const { lastIndex } = log;
  const openEntries = Math.max(0, lastIndex - appliedIndex);
  return { before, after, lastIndex, appliedIndex, openEntries, lost };
}

function recovered(
  path: string,
  before: Configuration,
  listed: readonly ListedPeer[],
  identity: Identity,
): Configuration {
  const shared = sharedName(listed);
  if (shared !== undefined) throw refused(path, `two members share the ${shared}`);
  if (!listed.some(({ id }) => id === identity.nodeId)) {
    throw refused(path, `this node, ${identity.nodeId}, is not in it`);
  }
  let { nextNumber } = before;
  const members = listed.map(({ id, address }): Member => {
    const known = before.members.find((member) => member.id === id);
    const isSelf = id === identity.nodeId;
    if (known !== undefined && (!isSelf || known.incarnation === identity.incarnation)) {
      return { number: known.number, id, address, incarnation: known.incarnation };
    }
    if (!isSelf) {
      throw refused(path, `${id} was no member; let it join when the cluster is there again`);
    }
    nextNumber += 1;
    return { number: nextNumber - 1, id, address, incarnation: identity.incarnation };
  });
  members.sort((a, b) => a.number - b.number);
  const isLearner = ({ id }: Member): boolean =>
    listed.some((peer) => peer.id === id && peer.non_voter === true);
  const numbers = (chosen: readonly Member[]): number[] => chosen.map(({ number }) => number);
  const voters = numbers(members.filter((member) => !isLearner(member)));
  if (voters.length === 0) throw refused(path, "nobody in it votes");
  const learners = numbers(members.filter(isLearner));
  const sets = { ...NO_SETS, voters, learners };
  const { clusterId, epoch } = before;
  return { clusterId, epoch: epoch + 1, members, sets, nextNumber };
}

/** A preview in words, line by line. */
export function describeRecovery(preview: RecoveryPreview): string[] {
  const { before, after, lastIndex, appliedIndex, openEntries, lost } = preview;
  const names = (members: readonly Member[]): string =>
    members.map(({ id, address }) => `${id} at ${address}`).join(", ") || "nobody";
  return [
    `recovery of cluster ${after.clusterId}, epoch ${before.epoch} to ${after.epoch}`,
    `members before: ${names(before.members)}`,
    `members after: ${names(after.members)}`,
    `gone for good: ${names(lost)}`,
    `applied up to entry ${appliedIndex}, the log ends at ${lastIndex}`,
    `${openEntries} entries may not have been committed; they are kept`,
    "what the lost members had and this node has not is lost",
  ];
}

/** Which epoch a recovery that has begun leads to: so that a crash does not make it two epochs. */
const markPath = (dataDir: string): string => `${dataDir}/raft/peers.epoch`;

interface RecoveryPlace {
  readonly disk: Disk;
  readonly dataDir: string;
  readonly log: RaftLog;
}

/** Carries a preview out, durably. After a crash `finishRecovery` goes on with it. */
export async function carryOutRecovery(
  place: RecoveryPlace,
  preview: RecoveryPreview,
): Promise<void> {
  const { disk, dataDir, log } = place;
  writeJsonFile(disk, markPath(dataDir), { epoch: preview.after.epoch });
  log.write({ recovered: preview.after });
  await log.sync();
  finishRecovery(place);
}

/**
 * Puts the file of a recovery away that is in the log already. Comes before `previewRecovery`.
 *
 * @throws `REPLICA_RECOVERY_INVALID`
 */
export function finishRecovery({ disk, dataDir, log }: RecoveryPlace): void {
  const mark = readJsonFile(disk, markPath(dataDir), "REPLICA_RECOVERY_INVALID");
  if (mark === undefined) return;
  const path = `${dataDir}/raft/peers.json`;
  if (log.epoch >= Number((mark as { epoch?: unknown }).epoch) && disk.exists(path)) {
    disk.rename(path, `${dataDir}/raft/peers.info`);
    disk.syncDir(directoryOf(path));
  }
  removeJsonFile(disk, markPath(dataDir));
}
