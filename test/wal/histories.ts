/**
 * Histories for the crash tests: short ones whose every crash point is tried, and long random ones.
 *
 * Record sizes straddle 512-byte sectors on purpose: with small records only, hardly any write is
 * torn and most mistakes stay unseen.
 */
import { seededRandom } from "#platform";
import type { History, Step } from "./crash-lab.ts";

const append = (bytes: number): Step => ({ do: "append", bytes });
const commit = (bytes: number): Step => ({ do: "commit", bytes });
const sync: Step = { do: "sync" };
const syncAsync: Step = { do: "syncAsync" };
const reopen: Step = { do: "reopen" };
const cut = (count: number): Step => ({ do: "cut", count });
const forget = (keep: number): Step => ({ do: "forget", keep });

const small = { segmentBytesMax: 2048, preallocateBytes: 1024 };

/** Histories that are tried at every crash point. */
export const shortHistories: readonly History[] = [
  {
    name: "one record per sync",
    options: { segmentBytesMax: 4096, preallocateBytes: 0 },
    steps: [20, 480, 700, 33, 920, 512, 1, 487, 600, 90, 1023, 300].flatMap((bytes) => [
      append(bytes),
      sync,
    ]),
  },
  {
    name: "batches with room made ahead",
    options: { segmentBytesMax: 4096, preallocateBytes: 2048 },
    steps: [
      ...[append(300), append(0), append(700), sync, append(510), append(40), append(900)],
      ...[sync, append(1100), append(60), append(200), append(450)],
    ],
  },
  {
    name: "many small segments",
    options: { segmentBytesMax: 900, preallocateBytes: 512 },
    steps: [400, 300, 500, 820, 2000, 60, 450, 380].flatMap((bytes, i) =>
      i % 3 === 2 ? [append(bytes)] : [append(bytes), sync],
    ),
  },
  {
    name: "closing and opening",
    options: small,
    steps: [append(600), sync, append(200), reopen, reopen, append(500), append(900), reopen],
  },
  {
    name: "forgetting the past",
    options: { segmentBytesMax: 700, preallocateBytes: 0 },
    steps: [
      ...[500, 400, 600, 300, 300, 650].flatMap((bytes) => [append(bytes), sync]),
      forget(2),
      ...[append(500), append(100), sync, forget(0), append(700)],
    ],
  },
  {
    name: "cutting the end",
    options: { segmentBytesMax: 1500, preallocateBytes: 1024 },
    steps: [
      ...[append(600), append(700), sync, append(550), sync, append(300), append(400), sync],
      ...[cut(1), append(520), sync, cut(3), append(90), append(800), cut(1), append(700), sync],
      ...[append(30), cut(20), append(450), sync],
    ],
  },
  {
    name: "cutting, forgetting, closing",
    options: { segmentBytesMax: 1000, preallocateBytes: 512 },
    steps: [
      ...[append(600), append(700), sync, append(550), cut(2), append(640), sync, reopen],
      ...[cut(1), reopen, append(300), append(900), sync, forget(1), append(20), cut(1), sync],
    ],
  },
  {
    name: "group commit",
    options: small,
    steps: [
      ...[commit(500), append(700), commit(30), append(900), append(60), syncAsync],
      ...[commit(1200), cut(2), commit(640), append(10), syncAsync, reopen, commit(100)],
    ],
  },
];

/** A random history. Longer ones have more of everything. */
export function longHistory(seed: number, stepCount: number): History {
  const random = seededRandom(seed);
  const pick = <T>(choices: readonly T[]): T => choices[random.below(choices.length)]!;
  const bytes = () => random.below(pick([20, 600, 600, 1700]));
  const step = (): Step => {
    const dice = random.below(100);
    if (dice < 48) return append(bytes());
    if (dice < 58) return commit(bytes());
    if (dice < 78) return sync;
    if (dice < 83) return syncAsync;
    if (dice < 89) return cut(random.below(6));
    if (dice < 95) return forget(random.below(8));
    return reopen;
  };
  return {
    name: `long history ${seed}`,
    options: {
      segmentBytesMax: pick([600, 1500, 5000, 20_000]),
      preallocateBytes: pick([0, 512, 4096]),
    },
    steps: Array.from({ length: stepCount }, step),
  };
}
