/**
 * Configurations: who is in them, which may follow which, and the list of those in the log.
 *
 * The list begins with the one in force at the compacted index; those behind it are in the log. A
 * configuration is in force from the moment its entry is appended, committed or not: the last one
 * counts. When its entry is cut off, the one before it is in force again.
 * Invariant: indexes ascend, and two that follow each other share a quorum.
 * Chapter: 07-raft. Source: Ongaro 2014, sections 4.1 and 4.3.
 */
import { assert } from "#base";
import { createProgress, type Progress, releaseCopy } from "./progress.ts";
import type { RaftState } from "./state.ts";
import type { ConfigurationRecord, Index, NodeId, RaftBootState, VoterSets } from "./types.ts";

const byNumber = (a: NodeId, b: NodeId): number => a - b;

export function isJoint(sets: VoterSets): boolean {
  return sets.outgoing.length > 0;
}

/** Nobody at all: the configuration of a node that waits to be added. */
export function isEmpty(sets: VoterSets): boolean {
  return sets.voters.length === 0;
}

/** Whether this node's vote counts, in either half. */
export function isVoter(sets: VoterSets, node: NodeId): boolean {
  return sets.voters.includes(node) || sets.outgoing.includes(node);
}

export function isMember(sets: VoterSets, node: NodeId): boolean {
  return isVoter(sets, node) || sets.learners.includes(node);
}

/** All members save one, ascending. */
export function othersIn(sets: VoterSets, self: NodeId): NodeId[] {
  const all = new Set([...sets.voters, ...sets.outgoing, ...sets.learners]);
  all.delete(self);
  return [...all].sort(byNumber);
}

export function sameNodes(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node, i) => node === b[i]);
}

/** The sets in order; undefined if they make no sense: no voter, or one number twice. */
export function normalSets(
  voters: readonly NodeId[],
  learners: readonly NodeId[],
): VoterSets | undefined {
  const all = [...voters, ...learners];
  if (voters.length === 0 || new Set(all).size !== all.length) return undefined;
  if (!all.every((node) => Number.isSafeInteger(node) && node >= 1)) return undefined;
  const sorted = (nodes: readonly NodeId[]): NodeId[] => [...nodes].sort(byNumber);
  return { voters: sorted(voters), outgoing: [], learners: sorted(learners) };
}

/**
 * Whether every quorum of one shares a node with every quorum of the other, by the shape of the
 * two: voters change only by way of a joint configuration of the old and the new ones.
 */
export function mayFollow(before: VoterSets, next: VoterSets): boolean {
  if (isEmpty(before)) return true;
  if (isJoint(before)) return !isJoint(next) && sameNodes(before.voters, next.voters);
  if (isJoint(next)) return sameNodes(before.voters, next.outgoing);
  return sameNodes(before.voters, next.voters);
}

function checkList(records: readonly ConfigurationRecord[]): void {
  for (const [i, { index, sets }] of records.entries()) {
    for (const nodes of [sets.voters, sets.outgoing, sets.learners]) {
      const ascends = nodes.every((node, at) => node > (nodes[at - 1] ?? 0));
      assert(ascends, `raft: configuration ${index}: members ascend`);
    }
    const before = records[i - 1];
    if (before === undefined) continue;
    assert(index > before.index, `raft: configuration ${index} behind ${before.index}`);
    assert(
      mayFollow(before.sets, sets),
      `raft: configuration ${index} shares no quorum with ${before.index}`,
    );
  }
}

/** The list as the disk has it. */
export function bootConfigurations(boot: RaftBootState, lastIndex: Index): ConfigurationRecord[] {
  const { configuration, configurations, compactedIndex } = boot;
  assert(
    configuration.index <= compactedIndex,
    `raft: boot: configuration ${configuration.index}, but compacted to ${compactedIndex}`,
  );
  const list = [configuration, ...configurations];
  checkList(list);
  const first = configurations[0]?.index ?? lastIndex;
  assert(
    first >= compactedIndex && list.at(-1)!.index <= lastIndex,
    "raft: boot: a configuration that is not in the log",
  );
  return list;
}

/** The last one that is committed. */
export function committedConfiguration(state: RaftState): ConfigurationRecord {
  return configurationAt(state, state.commitIndex);
}

/** The one that was in force when the entry was the last one; the entry is not compacted away. */
export function configurationAt(state: RaftState, index: Index): ConfigurationRecord {
  const list = state.configurations;
  let at = list.length - 1;
  while (at > 0 && list[at]!.index > index) at -= 1;
  return list[at]!;
}

/** Entries that are configurations have come to the log's end: the last one is in force now. */
export function adoptConfigurations(
  state: RaftState,
  records: readonly ConfigurationRecord[],
): void {
  if (records.length === 0) return;
  checkList([state.configuration, ...records]);
  state.configurations.push(...records);
  refreshConfiguration(state);
}

/** Entries from here on are gone, and what they changed with them. */
export function cutConfigurations(state: RaftState, from: Index): void {
  const list = state.configurations;
  if (state.configuration.index < from) return;
  while (list.length > 1 && list.at(-1)!.index >= from) list.pop();
  refreshConfiguration(state);
}

/** A snapshot took the log's place. */
export function resetConfigurations(state: RaftState, record: ConfigurationRecord): void {
  checkList([record]);
  state.configurations.splice(0, state.configurations.length, record);
  refreshConfiguration(state);
}

/** The entries up to here are compacted away: the list begins with the one in force there. */
export function compactConfigurations(state: RaftState, upTo: Index): void {
  const list = state.configurations;
  while (list.length > 1 && list[1]!.index <= upTo) list.shift();
}

/** Works out what follows from the configuration in force. */
export function refreshConfiguration(state: RaftState): void {
  const { self } = state.options;
  const record = state.configurations.at(-1)!;
  const { sets } = record;
  state.configuration = record;
  state.isInVoters = sets.voters.includes(self);
  state.isInOutgoing = sets.outgoing.includes(self);
  state.members = othersIn(sets, self);
  state.voterPeers = state.members.filter((node) => isVoter(sets, node));
  if (state.role === "leader") updateProgress(state);
}

/**
 * Leader: one progress for each other member. Who left is still served until the configuration
 * without it is committed; who came back is a new peer, of which nothing is known.
 */
export function updateProgress(state: RaftState): void {
  const { index, sets } = state.configuration;
  const { members } = state;
  const kept: Progress[] = [];
  for (const progress of state.progress) {
    const stays = members.includes(progress.peer);
    if (stays && progress.leavingAt > 0) continue;
    if (!stays && progress.leavingAt === 0) {
      releaseCopy(progress, state.answers);
      progress.leavingAt = index;
    }
    kept.push(progress);
  }
  for (const peer of members) {
    if (kept.some((progress) => progress.peer === peer)) continue;
    kept.push(createProgress(peer, index, state.log.lastIndex + 1, state.now));
  }
  for (const progress of kept) {
    const stays = progress.leavingAt === 0;
    progress.inVoters = stays && sets.voters.includes(progress.peer);
    progress.inOutgoing = stays && sets.outgoing.includes(progress.peer);
  }
  state.progress = kept.sort((a, b) => a.peer - b.peer);
}
