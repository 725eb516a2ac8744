/**
 * The self-test of the checkers: what any checker must say of histories whose verdict is known.
 * Support for the tests.
 *
 * Each check throws a {@link Wrong} at the first verdict that is not as it should be. They take the
 * checkers as an argument, so that a checker with a planted mistake can be judged as well.
 */
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { checkLinearizability, type listModel, registerModel } from "#simulation";
import type { SimulationModule } from "#simulation/types";
import { anyCalls, anyShape, anyTransactions } from "./anything.ts";
import { get, put, type RegisterCall } from "./calls.ts";
import { asOperation, hasOrder, listsModel, withoutTime } from "./every-order.ts";
import { knownTransactions } from "./known-lists.ts";
import { knownLists, knownRegisters } from "./known-registers.ts";
import { corruptedLists, LIST_CORRUPTIONS, randomLists } from "./random-lists.ts";
import { corrupted, randomRegisters } from "./random-registers.ts";

/** The checkers that a self-test calls, and the models that came with them. */
export type Checkers = Pick<
  SimulationModule,
  | "checkLinearizability"
  | "checkListAppend"
  | "createReadOracle"
  | "createPromiseOracle"
  | "createPredecessorOracle"
> & { readonly registerModel: typeof registerModel; readonly listModel: typeof listModel };

/** A checker has said what is not so. */
export class Wrong extends Error {
  override readonly name = "Wrong";
}

function require(found: unknown, expected: unknown, where: string): void {
  if (found === expected) return;
  throw new Wrong(`${where}: ${String(found)}, should be ${String(expected)}`);
}

/** How many operations are missing that an answer of the evidence may rest on. */
function lacking(history: readonly RegisterCall[], evidence: readonly RegisterCall[]): number {
  const key = evidence[0]?.key;
  const end = Math.max(...evidence.map((one) => (one.outcome === "ok" ? one.returnedAt : 0)));
  const others = history.filter(
    (one) =>
      one.key === key && one.outcome !== "failed" && one.calledAt <= end && !evidence.includes(one),
  );
  const isNeeded = (writer: RegisterCall): boolean =>
    evidence.some((reader) => registerModel.needs(reader, writer));
  return others.filter(isNeeded).length;
}

/** Writes that all overlap, and one client that sees them in one order: the only one that fits. */
function crowd(random: Random, writers: number): RegisterCall[] {
  const writes = Array.from({ length: writers }, (_, value) => {
    return put(value, [random.below(100), 1000]);
  });
  const reads = writes.map((_, value) => get(value, [200 + 10 * value, 205 + 10 * value]));
  return [...writes, ...reads];
}

/** The checks, by name. */
export const selfTests = {
  "known objects": (subject) => {
    for (const { name, kind, history } of knownRegisters) {
      require(subject.checkLinearizability(history, subject.registerModel).kind, kind, name);
    }
    for (const { name, kind, history } of knownLists) {
      require(subject.checkLinearizability(history, subject.listModel).kind, kind, name);
    }
  },
  "known transactions": (subject) => {
    for (const { name, rules, withoutTime: later = rules, history } of knownTransactions) {
      for (const level of ["serializable", "strict-serializable"] as const) {
        const expected = level === "serializable" ? later : rules;
        const { violations } = subject.checkListAppend(history, { level });
        const found = violations.map(({ rule }) => rule).sort();
        require(found.join(), [...expected].sort().join(), `${name}, ${level}`);
      }
    }
  },
  "every order of calls": (subject) => {
    for (let seed = 1; seed <= 3000; seed += 1) {
      const history = anyCalls(seededRandom(seed));
      const expected = hasOrder(history, registerModel) ? "holds" : "violated";
      const { kind } = subject.checkLinearizability(history, subject.registerModel);
      require(kind, expected, `seed ${seed}`);
    }
  },
  "every order of transactions": (subject) => {
    for (let seed = 1; seed <= 4000; seed += 1) {
      const history = anyTransactions(seededRandom(seed));
      for (const level of ["serializable", "strict-serializable"] as const) {
        const asked = level === "serializable" ? history.map(withoutTime) : history;
        const expected = hasOrder(asked.map(asOperation), listsModel) ? "holds" : "violated";
        require(subject.checkListAppend(history, { level }).kind, expected, `seed ${seed}`);
      }
    }
  },
  "random objects": (subject) => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seededRandom(seed);
      const history = randomRegisters(random, anyShape(random));
      const right = subject.checkLinearizability(history, subject.registerModel);
      require(right.kind, "holds", `seed ${seed}`);
      const wrong = corrupted(random, history, "overwritten");
      if (wrong === undefined) continue;
      const { kind } = subject.checkLinearizability(wrong, subject.registerModel);
      require(kind, "violated", `seed ${seed}, overwritten`);
    }
  },
  "crowded objects": (subject) => {
    // With a memo that works 10 writers take some 70,000 steps; without it, millions. That values
    // are there once would lead straight to the order, so the model does not tell.
    const { initial, step, keyOf, isRead, needs, describe } = subject.registerModel;
    const silent = { initial, step, keyOf, isRead, needs, describe };
    for (let seed = 1; seed <= 6; seed += 1) {
      const history = crowd(seededRandom(seed), 10);
      for (const again of [[], [get(0, [990, 991])]]) {
        const { kind, keys } = subject.checkLinearizability([...history, ...again], silent, {
          stepsMax: 100_000,
        });
        const expected = again.length === 0 ? "holds" : "violated";
        require(kind, expected, `seed ${seed}, ${keys[0]?.steps} steps`);
      }
    }
  },
  "values that are there once": (subject) => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const history = crowd(seededRandom(seed), 30);
      const { kind, keys } = subject.checkLinearizability(history, subject.registerModel, {
        stepsMax: 20_000,
      });
      require(kind, "holds", `seed ${seed}, ${keys[0]?.steps} steps`);
    }
  },
  evidence: (subject) => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = seededRandom(seed);
      const history = randomRegisters(random, { ...anyShape(random), unknownShare: 0.1 });
      const wrong = corrupted(random, history, "overwritten");
      if (wrong === undefined) continue;
      for (const key of subject.checkLinearizability(wrong, subject.registerModel).keys) {
        if (key.kind !== "violated") continue;
        const { evidence, misfit } = key;
        require(misfit !== undefined && evidence.includes(misfit), true, `seed ${seed}, misfit`);
        const alone = checkLinearizability(evidence, registerModel);
        require(lacking(wrong, evidence), 0, `seed ${seed}, writes that the evidence lacks`);
        require(alone.kind, "violated", `seed ${seed}, the evidence of ${evidence.length} alone`);
      }
    }
  },
  "random transactions": (subject) => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const random = seededRandom(seed);
      const shares = { unknownShare: 0.1, failedShare: 0.1 };
      const shape = { clients: 4, transactions: 30, keys: 2, ...shares };
      const history = randomLists(random, shape);
      require(subject.checkListAppend(history).kind, "holds", `seed ${seed}`);
      for (const how of LIST_CORRUPTIONS) {
        const wrong = corruptedLists(random, history, how);
        if (wrong === undefined) continue;
        require(subject.checkListAppend(wrong).kind, "violated", `seed ${seed}, ${how}`);
      }
    }
  },
  budget: (subject) => {
    const shape = { clients: 6, operations: 200, getShare: 0.3, casShare: 0.1 };
    const history = randomRegisters(seededRandom(1), shape);
    const { kind, text } = subject.checkLinearizability(history, subject.registerModel, {
      stepsMax: 50,
    });
    require(kind, "unknown", "a budget of 50 steps");
    require(text.startsWith("NOT DECIDED"), true, "the first words");
  },
  oracles: (subject) => {
    const reads = subject.createReadOracle();
    reads.committed(9);
    const called = reads.called();
    reads.committed(3);
    require(reads.called(), 9, "G11: the highest index");
    require(reads.returned(called, 9), undefined, "G11: at the index");
    require(reads.returned(called, 8)?.rule, "G11", "G11: below the index");
    const promises = subject.createPromiseOracle();
    promises.committed("w", 5);
    require(promises.applied("w", 5), undefined, "G13: applied");
    require(promises.applied("w", 5), undefined, "G13: applied on another node");
    require(promises.applied("w", 6)?.rule, "G13", "G13: applied twice");
    require(promises.refused("w")?.rule, "G13", "G13: refused after all");
    require(promises.acknowledged("lost", 7)?.rule, "G13", "G13: acknowledged, never committed");
    const writes = subject.createPredecessorOracle();
    writes.committed(1, "a", 10);
    writes.committed(2, "b", 20);
    writes.committed(3, "a", 30);
    require(writes.acknowledged(3, "a", 10), undefined, "G14: the write below");
    require(writes.acknowledged(3, "a", 20)?.rule, "G14", "G14: of another key");
    require(writes.acknowledged(3, "a", null)?.rule, "G14", "G14: of nobody");
  },
} as const satisfies Record<string, (subject: Checkers) => void>;

/** The names of the checks. */
export type SelfTestName = keyof typeof selfTests;
