/**
 * The thread that runs every n-th seed of `cairn sim --jobs N`.
 *
 * Invariant: a report is posted for each seed, in the order of the seeds; the first that fails is
 * the last.
 */
import { threadStart } from "#platform";
import { createRaftCore } from "#raft";
import { type RunReport, searchRealSeeds, searchSeeds, type Tier } from "#simulation";

/** What a worker is told. */
export interface SimulationShare {
  readonly tier: Tier | "real";
  readonly nodes: number | undefined;
  readonly from: number;
  readonly count: number;
  readonly stride: number;
}

/** What it posts for each seed: the report, with what broke as a text. */
export interface SimulationNews {
  readonly report: Omit<RunReport, "broken">;
  readonly broken: string | undefined;
}

const { port, data } = threadStart<SimulationNews, never, SimulationShare>();
const { nodes, tier, ...share } = data;
const search = {
  ...share,
  ...(nodes === undefined ? {} : { nodes }),
  onRun: ({ broken, ...report }: RunReport): boolean => {
    port.post({ report, broken: broken?.message });
    return true;
  },
};
if (tier === "real") {
  const { realParts } = await import("./sim-real.ts");
  await searchRealSeeds({ ...search, parts: realParts });
} else searchSeeds({ ...search, tier, createRaftCore });
