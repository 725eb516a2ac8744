/**
 * What a lab has brought, as it is stored beside its plot.
 */
import type { Calibration } from "./lab-calibrate.ts";
import type { MergedLab } from "./lab-merge.ts";
import type { LabAxis } from "./lab-types.ts";
import type { BenchSize } from "./types.ts";

/** Everything that was measured, predicted and found out about the machine. */
export interface LabReport {
  readonly id: string;
  readonly title: string;
  readonly question: string;
  readonly about: string;
  readonly module: string;
  readonly size: BenchSize;
  readonly measuredAt: string;
  readonly x: LabAxis;
  readonly y: LabAxis;
  /** What the labels of points say, such as `ratio`. */
  readonly pointLabel?: string;
  readonly prediction: {
    readonly ask: string;
    readonly unit: string;
    /** As it was said, and the number in it. Undefined: skipped. */
    readonly text?: string;
    readonly value?: number;
    /** The prediction as a line of the plot. */
    readonly points?: readonly { readonly x: number; readonly y: number }[];
  };
  readonly calibration: Calibration;
  /** Of the reader's code; missing if there is none, or it could not be measured. */
  readonly mine?: MergedLab;
  readonly reference: MergedLab;
  /** Why the reader's code could not be measured. */
  readonly mineProblem?: string;
}
