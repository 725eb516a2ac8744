/**
 * What a benchmark lab of the workbook is: a question, a prediction, a measurement, a plot.
 *
 * A lab is the exported `lab` of `bench/<module>/<slug>.lab.ts`, named in the chapter's
 * `steps.json`. It measures whatever `#<module>` leads to: the runner starts it once for the
 * reader's code and once for the reference, in turns.
 */
import type { Bench } from "./types.ts";

/** One axis of the plot. */
export interface LabAxis {
  readonly label: string;
  readonly unit: string;
  readonly scale: "linear" | "log";
}

/** A line of the plot. `low` and `high`: the range over the repetitions. */
export interface LabSeries {
  readonly name: string;
  readonly points: readonly {
    readonly x: number;
    readonly y: number;
    readonly low?: number;
    readonly high?: number;
    /** Drawn beside the point, such as `4`: what it was measured with. See `Lab.pointLabel`. */
    readonly label?: string;
  }[];
}

/** A number that is worth reading and has no place in the plot. */
export interface LabFigure {
  /** What it is a figure of: `leveled, ratio 4`. */
  readonly name: string;
  /** Figures of one kind stand below each other: `space amplification`. */
  readonly kind: string;
  readonly value: number;
  readonly unit: string;
}

/** What a lab has measured. */
export interface LabResult {
  readonly series: readonly LabSeries[];
  /** The measured number that the prediction is held against. */
  readonly answer: number;
  /** Printed with the report, below the numbers of the plot. */
  readonly figures?: readonly LabFigure[];
  /** What is expected of the shape on any machine, and whether it is so here. */
  readonly shape: readonly { readonly claim: string; readonly holds: boolean }[];
}

/** A benchmark lab. */
export interface Lab {
  /** `01.group-commit` */
  readonly id: string;
  readonly title: string;
  /** The question, as a reader would ask it. */
  readonly question: string;
  /** What is varied, what is held, what is not measured: a few sentences. */
  readonly about: string;
  readonly x: LabAxis;
  readonly y: LabAxis;
  /** What the labels of points say, such as `ratio`. */
  readonly pointLabel?: string;
  /** What the reader predicts: one number. `ask` is a question that this number answers. */
  readonly prediction: { readonly ask: string; readonly unit: string };
  /**
   * The prediction as a line of the plot, if it can be drawn there: where the measured points would
   * lie if `value` were right. Not needed where the unit of the prediction is that of an axis.
   */
  predictedPoints?(
    value: number,
    result: Pick<LabResult, "series">,
  ): readonly { readonly x: number; readonly y: number }[];
  /**
   * Measures. At the canonical size within 90 seconds, at the small size within one.
   *
   * Sizes come from `bench.parameter`, files go to `bench.directory`, work is hashed with
   * `bench.work`.
   */
  measure(bench: Bench): LabResult | Promise<LabResult>;
}
