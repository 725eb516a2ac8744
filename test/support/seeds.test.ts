/**
 * The runner of seeded tests. Method: bodies that fail at a known seed; the message must lead back.
 */
import { afterEach, expect, test, vi } from "vitest";
import { forEachSeed, runSeeds, SCALE, scaled } from "./seeds.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("every seed is run once, in order, with its own chance", () => {
  vi.stubEnv("CAIRN_SEED", "");
  const seeds: number[] = [];
  const draws = new Set<number>();
  runSeeds({ count: 10, name: "ten" }, (seed, random) => {
    seeds.push(seed);
    draws.add(random.below(2 ** 32));
  });
  expect(seeds).toEqual(Array.from({ length: scaled(10) }, (_, index) => index + 1));
  expect(draws.size).toBe(seeds.length);
  expect(scaled(0.0001 / SCALE)).toBe(1);
});

test("a failure names the seed and how to replay it, and keeps its cause", () => {
  vi.stubEnv("CAIRN_SEED", "");
  const cause = new Error("three is odd");
  const failing = (): void =>
    runSeeds({ count: 3 / SCALE, name: "group > odd" }, (seed) => {
      if (seed === 3) throw cause;
    });
  expect(failing).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(
        /^group > odd: seed 3: three is odd\n.*CAIRN_SEED=3 npx vitest run -t "group odd"$/,
      ),
      cause,
    }),
  );
});

test("asynchronous bodies run one after the other, and fail alike", async () => {
  vi.stubEnv("CAIRN_SEED", "");
  let running = 0;
  const seeds: number[] = [];
  const failing = runSeeds({ count: 5 / SCALE, name: "slow" }, async (seed) => {
    running += 1;
    expect(running).toBe(1);
    await Promise.resolve();
    running -= 1;
    seeds.push(seed);
    if (seed === 4) throw new Error("four");
  });
  await expect(failing).rejects.toThrow("slow: seed 4: four");
  expect(seeds).toEqual([1, 2, 3, 4]);
});

test("one seed can be replayed alone", () => {
  vi.stubEnv("CAIRN_SEED", "77");
  const seeds: number[] = [];
  forEachSeed(10, (seed) => seeds.push(seed));
  expect(seeds).toEqual([77]);
  vi.stubEnv("CAIRN_SEED", "x");
  expect(() => forEachSeed(1, () => undefined)).toThrow(RangeError);
});
