/**
 * The core against simpler models of itself. Method: seeded random histories, fed to one core by
 * hand; the log is compared with a plain array, the commit index with counting by brute force.
 */
import { expect, test } from "vitest";
import type { Random } from "#platform";
import {
  createRaftCore,
  type Index,
  type Input,
  type Message,
  type NodeId,
  type Output,
  type RaftCore,
  type Term,
} from "#raft";
import { runSeeds } from "../support/seeds.ts";
import { bootOf, runsOf } from "./node.ts";

interface ModelEntry {
  readonly term: Term;
  readonly size: number;
}

/** A core whose disk is instant. */
class Instant {
  readonly core: RaftCore;
  #now = 0;

  constructor(voters: readonly NodeId[], outgoing: readonly NodeId[] = []) {
    const configuration = { index: 0, sets: { voters, outgoing, learners: [] } };
    const boot = { ...bootOf(voters), configuration };
    this.core = createRaftCore({ self: 1, random: () => 0.5 }, boot, 0);
  }

  step(input: Input, { persist = true } = {}): Output[] {
    const outputs: Output[] = [];
    this.core.step(this.#now, input, outputs);
    const all = [...outputs];
    for (const output of outputs) {
      if (output.kind === "persist" && persist) {
        all.push(...this.step({ kind: "persisted", seq: output.seq }));
      }
      if (output.kind === "apply") all.push(...this.step({ kind: "applied", index: output.to }));
    }
    return all;
  }

  receive(from: NodeId, message: Message): Output[] {
    return this.step({ kind: "message", from, message });
  }

  /** Becomes leader with everybody's vote. */
  lead(others: readonly NodeId[]): Output[] {
    this.#now = this.core.deadline;
    const all = this.step({ kind: "tick" });
    for (const pre of [true, false]) {
      for (const from of others) {
        const asked = all
          .filter((output) => output.kind === "send")
          .map(({ message }) => message)
          .findLast((message) => message.kind === "vote" && message.pre === pre);
        if (asked?.kind !== "vote") continue;
        const { term, attempt } = asked;
        all.push(
          ...this.receive(from, {
            kind: "voteReply",
            term,
            granted: true,
            pre,
            attempt,
            removedAt: 0,
          }),
        );
      }
    }
    return all;
  }
}

/** Extends or replaces the model's tail as a new leader might, and returns its message. */
function nextAppend(random: Random, model: ModelEntry[], bounds: { term: Term; commit: Index }) {
  const { term, commit } = bounds;
  const prevIndex = commit + random.below(model.length - commit + 1);
  const prevTerm = model[prevIndex - 1]?.term ?? 0;
  const entries = Array.from({ length: 1 + random.below(20) }, () => ({
    term,
    size: random.below(50),
  }));
  // Some entries are of older terms, never older than what they follow.
  const older = random.below(entries.length + 1);
  const between = prevTerm + random.below(term - prevTerm + 1);
  for (let i = 0; i < older; i += 1) entries[i] = { ...entries[i]!, term: between };
  for (const [i, entry] of entries.entries()) {
    const ours = model[prevIndex + i];
    if (ours?.term === entry.term) entries[i] = ours;
    else {
      model.length = Math.min(model.length, prevIndex + i);
      model.push(entry);
    }
  }
  return { prevIndex, prevTerm, entries };
}

test("the log agrees with a plain array, through appends, cuts and compactions", () => {
  const name = "the log agrees with a plain array, through appends, cuts and compactions";
  runSeeds({ count: 40, name }, (_, random) => {
    const node = new Instant([1, 2]);
    const model: ModelEntry[] = [];
    let commit = 0;
    let compacted = 0;
    for (let term = 1; term <= 40; term += 1) {
      const { prevIndex, prevTerm, entries } = nextAppend(random, model, { term, commit });
      commit = Math.max(commit, Math.min(prevIndex + entries.length, commit + random.below(4)));
      node.receive(2, {
        kind: "append",
        term,
        prevIndex,
        prevTerm,
        sizes: entries.map(({ size }) => size),
        runs: runsOf(entries, prevIndex + 1),
        configurations: [],
        commit,
        session: 0,
        round: term,
      });
      if (random.below(4) === 0) {
        compacted = Math.max(compacted, commit - random.below(3));
        node.step({ kind: "compacted", upTo: compacted });
      }
      expect(node.core.status()).toMatchObject({
        firstIndex: compacted + 1,
        lastIndex: model.length,
        stableIndex: model.length,
        commitIndex: commit,
        appliedIndex: commit,
      });
      for (let index = 0; index <= model.length + 1; index += 1) {
        const known =
          index >= compacted
            ? (model[index - 1]?.term ?? (index === 0 ? 0 : undefined))
            : undefined;
        expect(node.core.termAt(index)).toBe(known);
      }
    }
    expectSent(node, model, compacted);
  });
});

/** Makes the node leader and asks for everything: sizes and runs must be those of the model. */
function expectSent(node: Instant, model: readonly ModelEntry[], compacted: Index): void {
  const probes = node.lead([2]).filter((output) => output.kind === "send");
  const probe = probes.map(({ message }) => message).findLast(({ kind }) => kind === "append");
  if (probe?.kind !== "append") throw new Error("no append from the leader");
  const { term, prevIndex: rejected } = probe;
  expect(rejected).toBe(model.length);
  const refusal = {
    kind: "appendReply",
    term,
    ok: false,
    match: 0,
    session: 0,
    round: 1,
    rejected,
    freeBytes: 1,
  } as const;
  const hint = { hintIndex: compacted, hintTerm: node.core.termAt(compacted) ?? 0 };
  const sent = node.receive(2, { ...refusal, ...hint }).find((output) => output.kind === "send");
  if (rejected === compacted) return;
  const whole = [...model.slice(compacted), { term, size: 0 }];
  expect(sent?.message).toMatchObject({
    prevIndex: compacted,
    sizes: whole.map(({ size }) => size),
    runs: runsOf(whole, compacted + 1),
  });
}

test("C06: of one to seven voters, that commits which a majority has", () => {
  const name = "C06: of one to seven voters, that commits which a majority has";
  runSeeds({ count: 200, name }, (seed, random) => {
    const voters = Array.from({ length: 1 + (seed % 7) }, (_, i) => i + 1);
    const others = voters.slice(1);
    const node = new Instant(voters);
    node.lead(others);
    const synced = random.below(2) === 0;
    const batch: Input = { kind: "propose", id: 1, sizes: Array<number>(9).fill(1) };
    node.step(batch, { persist: synced });
    const matches = [synced ? 10 : 1];
    for (const from of others) {
      const match = random.below(11);
      matches.push(match);
      const rest = { rejected: 0, hintIndex: 0, hintTerm: 0, session: 0, round: 1, freeBytes: 1 };
      node.receive(from, { kind: "appendReply", term: 1, ok: true, match, ...rest });
    }
    let expected = 0;
    for (let index = 1; index <= 10; index += 1) {
      const have = matches.filter((match) => match >= index).length;
      if (2 * have > voters.length) expected = index;
    }
    expect(node.core.commitIndex).toBe(expected);
    expect(node.core.status().appliedIndex).toBe(Math.min(expected, synced ? 10 : 1));
  });
});

/** Some of nodes 1 to 7, in order, and node 1 in any case if it is asked for. */
function someNodes(random: Random, withOne: boolean): NodeId[] {
  const nodes = [1, 2, 3, 4, 5, 6, 7].filter((id) => (id === 1 ? withOne : random.below(2) === 0));
  return nodes.length > 0 ? nodes : [2];
}

const hasMajority = (half: readonly NodeId[], having: (id: NodeId) => boolean): boolean =>
  2 * half.filter(having).length > half.length;

test("M03, C06: a joint commit has a majority of each half, whoever is in them", () => {
  const name = "M03, C06: a joint commit has a majority of each half, whoever is in them";
  runSeeds({ count: 300, name }, (_, random) => {
    const isInNew = random.below(4) > 0;
    const halves = [someNodes(random, isInNew), someNodes(random, true)] as const;
    const others = [2, 3, 4, 5, 6, 7].filter((id) => halves.some((half) => half.includes(id)));
    const node = new Instant(halves[0], halves[1]);
    node.lead(others);
    node.step({ kind: "propose", id: 1, sizes: Array<number>(9).fill(1) });
    // While leadership is handed over, the joint configuration is not left.
    const heir = halves[0].find((id) => id !== 1);
    if (heir !== undefined) node.step({ kind: "transfer", to: heir });
    const matches = new Map([[1, 10]]);
    for (const from of others) {
      const match = random.below(11);
      matches.set(from, match);
      const rest = { rejected: 0, hintIndex: 0, hintTerm: 0, session: 0, round: 1, freeBytes: 1 };
      node.receive(from, { kind: "appendReply", term: 1, ok: true, match, ...rest });
    }
    let expected = 0;
    for (let index = 1; index <= 10; index += 1) {
      const having = (id: NodeId): boolean => matches.get(id)! >= index;
      if (halves.every((half) => hasMajority(half, having))) expected = index;
    }
    if (heir !== undefined) expect(node.core.commitIndex).toBe(expected);
  });
});

test("M03, C06: a joint election has a majority of each half, whoever is in them", () => {
  const name = "M03, C06: a joint election has a majority of each half, whoever is in them";
  runSeeds({ count: 300, name }, (_, random) => {
    const halves = [someNodes(random, random.below(4) > 0), someNodes(random, true)] as const;
    const node = new Instant(halves[0], halves[1]);
    const grants = new Set([1, ...[2, 3, 4, 5, 6, 7].filter(() => random.below(2) === 0)]);
    node.lead([...grants].slice(1));
    const having = (id: NodeId): boolean => grants.has(id);
    const expected = halves.every((half) => hasMajority(half, having));
    expect(node.core.role === "leader").toBe(expected);
  });
});
