/**
 * What the runner and the process that judges say to each other.
 *
 * The reader's code never runs in the runner itself: it may loop for ever, or end the process. The
 * runner sends one request; the child answers with events, the last of which is `done`.
 */
import type { CheckKind, Failure } from "./types.ts";

/** Whose code is judged. `starter` and `solution` are for the workbook's own tests. */
export type Judged = "mine" | "reference" | "starter" | "solution";

/** What is to be done with a chapter's module. */
export type ChildWork =
  | {
      readonly kind: "steps";
      readonly steps: readonly string[];
      readonly seed: number;
      /** Steps that passed before, tried again while there is time. */
      readonly earlier: readonly string[];
      readonly earlierMsMax: number;
    }
  | {
      readonly kind: "crash";
      /** Undefined: every point. */
      readonly point?: number;
      /** Only this one; undefined: as many as the lab says. */
      readonly seed?: number;
      /** The first of as many as the lab says. Default 1. */
      readonly firstSeed?: number;
      /** Go on after a broken promise. */
      readonly isWhole: boolean;
    }
  | { readonly kind: "experiment"; readonly name: string };

/** The request. */
export interface ChildRequest {
  /** `01-wal` */
  readonly chapter: string;
  /** `wal` */
  readonly module: string;
  readonly judged: Judged;
  /** What the steps ask for, so that what is missing can be told from what is wrong. */
  readonly parts: readonly { readonly step: string; readonly name: string }[];
  readonly work: ChildWork;
}

/** Why the reader's module could not be loaded, in plain words. */
export interface LoadProblem {
  readonly happened: string;
  readonly why: string;
  /** `work/wal/log.ts:42` */
  readonly place?: string;
}

/** A check that is about to run, sooner or later. */
export interface PlannedCheck {
  readonly step: string;
  readonly check: string;
}

/** One event of the child. */
export type ChildEvent =
  | { readonly type: "cairn-loaded" }
  | { readonly type: "cairn-not-loaded"; readonly problem: LoadProblem }
  /** What was asked for, before any of it runs; earlier steps are no part of it. */
  | { readonly type: "cairn-plan"; readonly checks: readonly PlannedCheck[] }
  | {
      readonly type: "cairn-check";
      readonly step: string;
      readonly check: string;
      readonly kind: CheckKind;
      readonly rule: string;
      readonly ruleText: string;
      readonly isEarlier: boolean;
    }
  | {
      readonly type: "cairn-verdict";
      readonly step: string;
      readonly check: string;
      readonly isEarlier: boolean;
      readonly failure: Failure | null;
      readonly ms: number;
    }
  /** Time was up before all earlier steps were tried again. */
  | { readonly type: "cairn-earlier-left"; readonly checks: number }
  | {
      readonly type: "cairn-crash-plan";
      readonly about: string;
      readonly points: number;
      readonly seedsPerPoint: number;
    }
  | {
      readonly type: "cairn-crash-point";
      readonly point: number;
      readonly runs: number;
      readonly failure: Failure | null;
    }
  /** Not even the history without a power cut, or the experiment, came to its end. */
  | { readonly type: "cairn-lab-failed"; readonly failure: Failure }
  | { readonly type: "cairn-say"; readonly line: string }
  /** Nothing is left to happen, and a check still waits. */
  | { readonly type: "cairn-unsettled" }
  /** An error that no caller could catch. */
  | { readonly type: "cairn-crashed"; readonly text: string; readonly place?: string }
  /** The workbook itself is at fault. */
  | { readonly type: "cairn-broken"; readonly text: string }
  /** The chapter has no such lab or experiment. */
  | { readonly type: "cairn-unknown"; readonly text: string }
  | { readonly type: "cairn-done" };

/** Is a message of a child one of ours? Loaders may send their own. */
export function isChildEvent(message: unknown): message is ChildEvent {
  const { type } = (message ?? {}) as { type?: unknown };
  return typeof type === "string" && type.startsWith("cairn-");
}
