/**
 * Histories that may be right or wrong: a few operations with any answers, at any times. Support
 * for the tests.
 *
 * They are small enough for trying every order, and so drawn that both verdicts are common.
 */
import type { Random } from "#platform/types";
import type { ListStep, ListTransaction, RegisterInput, RegisterOutput } from "#simulation";
import type { RegisterCall } from "./calls.ts";
import type { RegisterShape } from "./random-registers.ts";

/** A few operations with any answers at all: right or wrong, nobody knows before. */
export function anyCalls(random: Random): RegisterCall[] {
  const count = 2 + random.below(5);
  const values = [null, 1, 2];
  const value = (): number | null => values[random.below(values.length)]!;
  return Array.from({ length: count }, (_, process) => {
    const calledAt = random.below(12);
    const isUnknown = random.below(5) === 0;
    const isFailed = !isUnknown && random.below(8) === 0;
    const inputs: readonly RegisterInput[] = [
      { kind: "get" },
      { kind: "put", value: value() },
      { kind: "cas", expected: value(), value: value() },
    ];
    const input = inputs[random.below(inputs.length)]!;
    const answers: Record<RegisterInput["kind"], RegisterOutput> = {
      get: value(),
      put: true,
      cas: random.below(2) === 0,
    };
    return {
      process,
      key: "x",
      input,
      outcome: isUnknown ? "unknown" : isFailed ? "failed" : "ok",
      output: isUnknown || isFailed ? undefined : answers[input.kind],
      calledAt,
      returnedAt: isUnknown ? Infinity : calledAt + random.below(8),
    };
  });
}

/** Transactions with any reads at all, most of them close to something that could have been. */
export function anyTransactions(random: Random): ListTransaction[] {
  let values = 0;
  const count = 2 + random.below(4);
  const perTransaction = 1 + random.below(3);
  const list = (): number[] => {
    const all = Array.from({ length: random.below(4) }, () => 1 + random.below(4));
    return random.below(4) === 0 ? all : [...new Set(all)].sort();
  };
  return Array.from({ length: count }, (_, process): ListTransaction => {
    const draw = random.below(10);
    const outcome = draw === 0 ? "failed" : draw === 1 ? "unknown" : "ok";
    const steps = Array.from({ length: 1 + random.below(perTransaction) }, (): ListStep => {
      const key = random.below(4) === 0 ? "b" : "a";
      if (random.below(2) === 0) {
        return { kind: "read", key, values: outcome === "ok" ? list() : undefined };
      }
      values += 1;
      return { kind: "append", key, value: values };
    });
    const calledAt = random.below(12);
    const returnedAt = outcome === "unknown" ? Infinity : calledAt + random.below(8);
    return { process, outcome, steps, calledAt, returnedAt };
  });
}

/** Shapes of histories that hold: small and large, with and without losses: the seed decides. */
export function anyShape(random: Random): RegisterShape {
  const isLossy = random.below(2) === 0;
  return {
    clients: 1 + random.below(6),
    operations: 5 + random.below(80),
    keys: 1 + random.below(3),
    getShare: 0.2 + 0.4 * random.fraction(),
    casShare: 0.3 * random.fraction(),
    ...(isLossy ? { unknownShare: 0.08, failedShare: 0.05 } : {}),
  };
}
