/**
 * C06 and M03: what a majority is, told by the core's own elections and commits, against counting.
 *
 * For every set of members and every subset that answers, a core is made, asks for votes and, once
 * it leads, is told of copies. Chapter: 11-simulation.
 */
import type { NodeId, Output, RaftCore, VoterSets } from "#raft/types";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { draw } from "./draw.ts";

type Create = Context["options"]["createRaftCore"];

const SELF: NodeId = 1;
/** Pairs of halves that are drawn for joint configurations. */
const JOINT_PAIRS = 40;
const FREE_BYTES = 1 << 30;

export function quorums(context: Context, args: Arguments): string[] {
  const pairs = args.pairs(["voters", "seed"]);
  const voters = pairs.number("voters") ?? 7;
  const seed = pairs.number("seed") ?? 1;
  const create = context.options.createRaftCore;
  const simple: VoterSets[] = [];
  for (let count = 1; count <= voters; count += 1) {
    simple.push({ voters: idsUpTo(count), outgoing: [], learners: [] });
  }
  const joint = Array.from({ length: JOINT_PAIRS }, (_, n) => jointSets(seed, n, voters));
  let elections = 0;
  let commits = 0;
  for (const sets of [...simple, ...joint]) {
    const others = membersOf(sets).filter((id) => id !== SELF);
    for (const subset of subsetsOf(others)) {
      const isMajority = isQuorum(sets, [SELF, ...subset]);
      if (isElected(create, sets, subset) !== isMajority) args.wrong(text(sets, subset, "vote"));
      elections += 1;
      for (const own of [true, false]) {
        const holders = own ? [SELF, ...subset] : subset;
        const committed = commitsWith(create, sets, subset, own);
        if (committed !== isQuorum(sets, holders)) args.wrong(text(sets, holders, "have it"));
        commits += 1;
      }
    }
  }
  const nobody = { voters: [], outgoing: [], learners: [] };
  if (isElected(create, nobody, [])) args.wrong("a node without any members campaigns");
  return [
    `1 to ${voters} voters, ${JOINT_PAIRS} joint pairs from seed ${seed}, and nobody at all`,
    `${elections} elections and ${commits} commits as counting says`,
  ];
}

function text({ voters, outgoing }: VoterSets, ids: readonly NodeId[], what: string): string {
  return `voters ${voters.join(",")} outgoing ${outgoing.join(",")}: ${ids.join(",")} ${what}`;
}

function idsUpTo(count: number): NodeId[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Two halves out of so many nodes; this node is in one of them at least. */
function jointSets(seed: number, n: number, count: number): VoterSets {
  const half = (stream: number): NodeId[] => {
    const ids = idsUpTo(count).filter((id) => draw(seed, stream, n * count + id) < 0.5);
    return ids.length > 0 ? ids : [SELF];
  };
  const voters = half(1);
  const outgoing = half(2);
  if (voters.includes(SELF) || outgoing.includes(SELF)) return { voters, outgoing, learners: [] };
  return { voters: [SELF, ...voters], outgoing, learners: [] };
}

function membersOf({ voters, outgoing }: VoterSets): NodeId[] {
  return [...new Set([...voters, ...outgoing])].sort((a, b) => a - b);
}

/** Every subset, the empty one first. */
function subsetsOf(ids: readonly NodeId[]): NodeId[][] {
  let subsets: NodeId[][] = [[]];
  for (const id of ids) subsets = [...subsets, ...subsets.map((subset) => [...subset, id])];
  return subsets;
}

/** By counting, and nothing else. */
function isQuorum({ voters, outgoing }: VoterSets, ids: readonly NodeId[]): boolean {
  const has = (half: readonly NodeId[]): boolean =>
    2 * half.filter((id) => ids.includes(id)).length > half.length;
  return has(voters) && (outgoing.length === 0 || has(outgoing));
}

/** A core that was told to stand, what came out, and when that was. */
function candidate(
  create: Create,
  sets: VoterSets,
): { core: RaftCore; outputs: Output[]; now: number } {
  const boot = {
    hardState: { term: 0, vote: 0 },
    compactedIndex: 0,
    compactedTerm: 0,
    configuration: { index: 0, sets },
    configurations: [],
    runs: [],
    sizes: [],
    appliedIndex: 0,
  };
  const core = create({ self: SELF, random: () => 0, preVote: false }, boot, 0);
  const outputs: Output[] = [];
  const now = core.deadline;
  core.step(now, { kind: "tick" }, outputs);
  return { core, outputs, now };
}

/** Its vote is durable, and these have granted theirs. */
function isElected(create: Create, sets: VoterSets, granted: readonly NodeId[]): boolean {
  return elected(create, sets, granted)?.role === "leader";
}

function elected(
  create: Create,
  sets: VoterSets,
  granted: readonly NodeId[],
): RaftCore | undefined {
  const { core, outputs, now } = candidate(create, sets);
  const persist = outputs.find((output) => output.kind === "persist");
  if (persist === undefined) return undefined;
  const attempts = outputs.flatMap((output) =>
    output.kind === "send" && output.message.kind === "vote" ? [output.message.attempt] : [],
  );
  const reply = { kind: "voteReply", term: 1, granted: true, pre: false, removedAt: 0 } as const;
  core.step(now, { kind: "persisted", seq: persist.seq }, []);
  for (const from of granted) {
    const message = { ...reply, attempt: attempts[0] ?? 1 };
    core.step(now, { kind: "message", from, message }, []);
  }
  return core;
}

/** Elected by all; then these, and the leader itself if `own`, have its first entry on disk. */
function commitsWith(
  create: Create,
  sets: VoterSets,
  holders: readonly NodeId[],
  own: boolean,
): boolean {
  const others = membersOf(sets).filter((id) => id !== SELF);
  const core = elected(create, sets, others);
  if (core?.role !== "leader") return false;
  // Before anything is due. The write of the vote was the first, that of the entry is the second.
  const time = core.deadline - 1;
  if (own) core.step(time, { kind: "persisted", seq: 2 }, []);
  const reply = { kind: "appendReply", term: 1, ok: true, match: 1, rejected: 0 } as const;
  const rest = { hintIndex: 0, hintTerm: 0, session: 0, round: 1, freeBytes: FREE_BYTES };
  for (const from of holders) {
    core.step(time, { kind: "message", from, message: { ...reply, ...rest } }, []);
  }
  return core.commitIndex >= 1;
}
