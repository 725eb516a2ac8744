/**
 * One measurement of one lab, in the process that it is called in.
 *
 * Invariant: a failure of the code under test is an answer, not a crash, so that the other
 * subject's numbers are still shown.
 */
import { runBench } from "./bench.ts";
import { loadLab } from "./lab-files.ts";
import type { LabResult } from "./lab-types.ts";
import type { BenchSize } from "./types.ts";

/** A measurement that was made. */
export interface LabRun {
  readonly result: LabResult;
  readonly parameters: Readonly<Record<string, number>>;
  readonly workHash: string;
  readonly seconds: number;
}

/** What a child sends to its parent. */
export type LabAnswer =
  | { readonly kind: "measured"; readonly run: LabRun }
  | { readonly kind: "failed"; readonly reason: string; readonly waiting?: string };

/** Measures a lab such as `wal/group-commit`. */
export async function measureLab(name: string, size: BenchSize): Promise<LabAnswer> {
  try {
    const start = performance.now();
    const lab = await loadLab(name);
    const results: LabResult[] = [];
    const report = await runBench(
      lab.id,
      async (bench) => {
        results.push(await lab.measure(bench));
      },
      size,
    );
    const [result] = results;
    if (result === undefined) throw new Error(`lab ${lab.id}: measured nothing`);
    const { parameters, workHash } = report;
    const seconds = (performance.now() - start) / 1000;
    return { kind: "measured", run: { result, parameters, workHash, seconds } };
  } catch (error) {
    return failed(error);
  }
}

/** Why it failed. What is not written yet is no mistake, and is said differently. */
function failed(error: unknown): LabAnswer {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // By name: the reader's module may have been loaded beside ours.
    if (cause.name !== "NotWrittenError") continue;
    const { step, part } = cause as Error & { readonly step: string; readonly part: string };
    return { kind: "failed", reason: cause.message, waiting: `${part}, step ${step}` };
  }
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "failed", reason };
}
