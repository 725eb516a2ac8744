/**
 * Verdicts on histories that a person has judged before, and what a violation says. Method: each
 * known history alone; then the texts, word for word; then budgets and fates.
 */
import { describe, expect, test } from "vitest";
import {
  checkLinearizability,
  createHistory,
  listModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "#simulation";
import { get, put, type RegisterCall } from "./calls.ts";
import { knownLists, knownRegisters } from "./known-registers.ts";

describe("a register", () => {
  test.each(knownRegisters)("$name: $kind", ({ kind, history }) => {
    const report = checkLinearizability(history, registerModel);
    expect(report.kind, report.text).toBe(kind);
  });
});

describe("a list", () => {
  test.each(knownLists)("$name: $kind", ({ kind, history }) => {
    const report = checkLinearizability(history, listModel);
    expect(report.kind, report.text).toBe(kind);
  });
});

test("what holds comes with an order that explains every answer", () => {
  for (const { history } of knownRegisters.filter(({ kind }) => kind === "holds")) {
    for (const { order } of checkLinearizability(history, registerModel).keys) {
      let state = registerModel.initial;
      let latestCall = -Infinity;
      for (const { input, output, calledAt, returnedAt } of order) {
        const after = registerModel.step(state, input, output);
        expect(after, JSON.stringify(input)).not.toBeUndefined();
        state = after as typeof state;
        // Nobody stands behind somebody that was called after its answer.
        expect(returnedAt).toBeGreaterThanOrEqual(latestCall);
        latestCall = Math.max(latestCall, calledAt);
      }
    }
    const answered = history.filter(({ outcome }) => outcome === "ok").length;
    const ordered = checkLinearizability(history, registerModel).keys.flatMap((key) => key.order);
    expect(ordered.filter(({ outcome }) => outcome === "ok")).toHaveLength(answered);
  }
});

/** A stale read, with many operations around that have nothing to do with it. */
function staleAmongOthers(): RegisterCall[] {
  const history = createHistory<RegisterInput, RegisterOutput>();
  const done = (process: number, input: RegisterInput, output: RegisterOutput): void =>
    history.ok(history.call(process, "x", input), output);
  for (let value = 100; value < 140; value += 1) {
    done(9, { kind: "put", value }, true);
    done(8, { kind: "get" }, value);
  }
  done(1, { kind: "put", value: 1 }, true);
  done(8, { kind: "get" }, 1);
  done(2, { kind: "put", value: 2 }, true);
  done(8, { kind: "get" }, 2);
  const stale = history.call(3, "x", { kind: "get" }, "t=12 ms");
  history.ok(stale, 1);
  for (let value = 200; value < 240; value += 1) done(9, { kind: "put", value }, true);
  return history.operations();
}

test("a violation is explained by the three operations that are enough to see it", () => {
  const { text, keys } = checkLinearizability(staleAmongOthers(), registerModel);
  expect(text.split("\n")).toEqual([
    expect.stringMatching(/^NOT linearizable: 1 key of 125 operations on 1 key, \d+ steps$/),
    "key x: client 3: get -> 1 fits nowhere",
    "  client 1  put 1     |--|",
    "  client 2  put 2            |--|",
    "  client 3  get -> 1                |--|  <- fits nowhere, t=12 ms",
    "  the longest order without it: 76 operations; put 138; get -> 138; put 139; get -> 139; " +
      "put 1; get -> 1; put 2; get -> 2",
  ]);
  expect(keys[0]?.evidence).toHaveLength(3);
  expect(checkLinearizability(keys[0]!.evidence, registerModel).kind).toBe("violated");
});

test("the evidence of a known violation is violated, and without one of its reads is not", () => {
  for (const { name, kind, history } of knownRegisters) {
    if (kind !== "violated") continue;
    for (const { evidence, misfit } of checkLinearizability(history, registerModel).keys) {
      if (misfit === undefined) continue;
      expect(evidence, name).toContain(misfit);
      expect(checkLinearizability(evidence, registerModel).kind, name).toBe("violated");
      const reads = evidence.filter((one) => one !== misfit && one.input.kind === "get");
      for (const spare of reads) {
        const rest = evidence.filter((one) => one !== spare);
        expect(checkLinearizability(rest, registerModel).kind, name).toBe("holds");
      }
    }
  }
});

/** Writes side by side, and then a read of none of them: everything must be ruled out. */
function hard(writers: number): RegisterCall[] {
  const writes = Array.from({ length: writers }, (_, index) => put(index, [index, 100]));
  return [...writes, get(-1, [101, 102])];
}

test("a search that ends at its budget is not decided, and says so first", () => {
  const report = checkLinearizability(hard(12), registerModel, { stepsMax: 1000 });
  expect(report.kind).toBe("unknown");
  expect(report.keys[0]?.kind).toBe("unknown");
  expect(report.text).toMatch(/^NOT DECIDED for 1 key .*: the budget ended\nkey x: not decided/);
  const enough = checkLinearizability(hard(12), registerModel);
  expect(enough.kind).toBe("violated");
});

test("one key that is not decided is enough to keep the whole from holding", () => {
  const easy = [put(1, [1, 2], { key: "easy" }), get(1, [3, 4], { key: "easy" })];
  const budget = { stepsMax: 1000 };
  expect(checkLinearizability([...easy, ...hard(12)], registerModel, budget).kind).toBe("unknown");
  const stale = get(9, [5, 6], { key: "easy" });
  const both = checkLinearizability([...easy, stale, ...hard(12)], registerModel, budget);
  expect(both.kind).toBe("violated");
  expect(both.text).toMatch(/^NOT linearizable: 1 key .*\nNOT DECIDED for 1 key /);
});

test("what the ledger knows of an unknown write is used", () => {
  const lost = put(1, [1]);
  const history = [lost, put(2, [2, 3]), get(1, [8, 9])];
  const check = (fate: number | "never" | undefined): string =>
    checkLinearizability(history, registerModel, { fateOf: () => fate }).kind;
  expect(check(undefined)).toBe("holds");
  expect(check(10)).toBe("holds");
  // It had happened before 2 was written, so it cannot be read now.
  expect(check(1.5)).toBe("violated");
  expect(check("never")).toBe("violated");
});

test("an unseen write that is known to have happened is not left out", () => {
  const unseen = put(1, [1]);
  const history = [unseen, put(2, [2, 3]), get(2, [20, 21])];
  const check = (fate: number): string =>
    checkLinearizability(history, registerModel, { fateOf: () => fate }).kind;
  expect(check(30)).toBe("holds");
  const between = [put(2, [1, 2]), put(1, [3]), get(2, [20, 21])];
  const late = checkLinearizability(between, registerModel, { fateOf: () => 10 });
  expect(late.kind).toBe("violated");
  expect(late.keys[0]?.evidence).toHaveLength(3);
});

test("many unknown writes that nobody saw cost nothing", () => {
  const unseen = Array.from({ length: 60 }, (_, index) => put(1000 + index, [index]));
  const rest = Array.from({ length: 60 }, (_, index) => [
    put(index, [100 + 4 * index, 101 + 4 * index]),
    get(index, [102 + 4 * index, 103 + 4 * index]),
  ]).flat();
  const { kind, keys } = checkLinearizability([...unseen, ...rest], registerModel);
  expect(kind).toBe("holds");
  expect(keys[0]?.steps).toBeLessThan(1000);
});

test("nonsense is refused", () => {
  const backwards = [put(1, [5, 4])];
  expect(() => checkLinearizability(backwards, registerModel)).toThrow(RangeError);
  const endless = [{ ...put(1, [5, 6]), returnedAt: Infinity }];
  expect(() => checkLinearizability(endless, registerModel)).toThrow(/key x, client \d+: ok/);
  const early = [put(1, [5])];
  const fateOf = (): number => 4;
  expect(() => checkLinearizability(early, registerModel, { fateOf })).toThrow(/happened by 4/);
  expect(() => checkLinearizability([], registerModel, { stepsMax: 0 })).toThrow(RangeError);
});

test("a recorder numbers the events, and what is open is unknown", () => {
  const history = createHistory<RegisterInput, RegisterOutput>();
  const first = history.call(1, "x", { kind: "put", value: 1 });
  const second = history.call(2, "x", { kind: "get" });
  const third = history.call(3, "x", { kind: "get" }, "a note");
  history.ok(second, 1);
  history.failed(third);
  expect(() => history.ok(second, 2)).toThrow(/operation 1 is not open/);
  expect(() => history.unknown(17)).toThrow(RangeError);
  const rows = history
    .operations()
    .map(({ outcome, calledAt, returnedAt, output }) => [outcome, calledAt, returnedAt, output]);
  expect(rows).toEqual([
    ["unknown", 1, Infinity, undefined],
    ["ok", 2, 4, 1],
    ["failed", 3, 5, undefined],
  ]);
  history.unknown(first);
  expect(history.operations()[0]?.returnedAt).toBe(Infinity);
  expect(checkLinearizability(history.operations(), registerModel).kind).toBe("holds");
});
