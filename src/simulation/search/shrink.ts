/**
 * Makes a failing plan smaller: what can be left out without the failure going away is left out.
 *
 * In this order: the end of the run, whole kinds of faults, faults, operations, clients, nodes,
 * loss and delay. Lists are halved and halved again (Zeller and Hildebrandt, "Simplifying and
 * isolating failure-inducing input", 2002). Since draws are counter-based, what stays happens as
 * before. Invariant: every plan that is kept breaks the same invariant as the first.
 * Chapter: 11-simulation.
 */
import type { RaftModule } from "#raft/types";
import type { BrokenInvariant } from "../invariants/index.ts";
import { type Plan, type RunReport, runPlan } from "../world/index.ts";

/** Runs that a search may take. */
const RUNS_MAX = 1500;
/** After the last event that matters, so much of the run stays. */
const TAIL_MS = 50;

/** How a search goes. */
export interface ShrinkOptions {
  /** The core under test. */
  readonly createRaftCore: RaftModule["createRaftCore"];
  /** Default 1500. */
  readonly runsMax?: number;
  /** Called now and then. */
  readonly onProgress?: (runs: number, plan: Plan) => void;
}

/** The smallest plan that was found. */
export interface ShrunkPlan {
  readonly plan: Plan;
  readonly report: RunReport;
  readonly runs: number;
}

/** Do these two say the same is wrong? Of assertions the words count, without their numbers. */
export function isSameFailure(one: BrokenInvariant, other: BrokenInvariant | undefined): boolean {
  if (other === undefined || one.id !== other.id) return false;
  if (one.id !== "assert") return true;
  return wordsOf(one.text) === wordsOf(other.text);
}

function wordsOf(text: string): string {
  return text.replace(/\d+/g, "#");
}

/** Shrinks a plan that fails. @throws RangeError if it does not fail. */
export function shrinkPlan(plan: Plan, options: ShrinkOptions): ShrunkPlan {
  return new Shrinker(plan, options).shrink();
}

class Shrinker {
  readonly #options: ShrinkOptions;
  readonly #failure: BrokenInvariant;
  #plan: Plan;
  #report: RunReport;
  #runs = 0;

  constructor(plan: Plan, options: ShrinkOptions) {
    this.#options = options;
    this.#plan = plan;
    this.#report = runPlan(plan, options).report;
    const { broken } = this.#report;
    if (broken === undefined) throw new RangeError("simulation: the plan does not fail");
    this.#failure = broken;
  }

  shrink(): ShrunkPlan {
    this.#cutEnd();
    this.#dropKinds();
    // A fault may only be needed for the sake of an operation, and the other way round.
    for (let before = -1; before !== this.#size() && this.#runs < this.#runsMax; ) {
      before = this.#size();
      this.#reduceList("faults");
      this.#reduceList("operations");
    }
    this.#dropClients();
    this.#dropNodes();
    this.#calmNetwork();
    this.#reduceList("faults");
    this.#cutEnd();
    return { plan: this.#plan, report: this.#report, runs: this.#runs };
  }

  get #runsMax(): number {
    return this.#options.runsMax ?? RUNS_MAX;
  }

  #size(): number {
    return this.#plan.faults.length + this.#plan.operations.length;
  }

  /** Takes the candidate if it fails the same. */
  #accepts(candidate: Plan): boolean {
    if (this.#runs >= this.#runsMax) return false;
    this.#runs += 1;
    let report: RunReport;
    try {
      report = runPlan(candidate, this.#options).report;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    this.#options.onProgress?.(this.#runs, this.#plan);
    if (!isSameFailure(this.#failure, report.broken)) return false;
    this.#plan = candidate;
    this.#report = report;
    return true;
  }

  /** Nothing after the failure matters; if it came before healing, the bad times end there. */
  #cutEnd(): void {
    const plan = this.#plan;
    const safetyMs = Math.ceil(this.#report.virtualMs + TAIL_MS);
    const until = Math.min(safetyMs, plan.options.safetyMs);
    const candidate: Plan = {
      options: { ...plan.options, safetyMs: until },
      faults: plan.faults.filter(({ at }) => at < until),
      operations: plan.operations.filter((one) => one.by === "client" || one.at < until),
    };
    this.#accepts(candidate);
  }

  #dropKinds(): void {
    for (const kind of new Set(this.#plan.faults.map((fault) => fault.kind))) {
      const faults = this.#plan.faults.filter((fault) => fault.kind !== kind);
      this.#accepts({ ...this.#plan, faults });
    }
    for (const by of ["operator", "client", "proposer"] as const) {
      const operations = this.#plan.operations.filter((one) => one.by !== by);
      if (operations.length === this.#plan.operations.length) continue;
      this.#accepts({ ...this.#plan, operations });
    }
  }

  #reduceList(which: "faults" | "operations"): void {
    let parts = 2;
    for (;;) {
      const list: readonly unknown[] = this.#plan[which];
      if (list.length === 0 || this.#runs >= this.#runsMax) return;
      const size = Math.max(1, Math.ceil(list.length / parts));
      let isSmaller = false;
      for (let from = 0; from < list.length; from += size) {
        const rest = [...list.slice(0, from), ...list.slice(from + size)];
        if (!this.#accepts({ ...this.#plan, [which]: rest } as Plan)) continue;
        isSmaller = true;
        break;
      }
      if (isSmaller) parts = Math.max(2, parts - 1);
      else if (size === 1) return;
      else parts = Math.min(list.length, 2 * parts);
    }
  }

  #dropClients(): void {
    const busy = new Set(
      this.#plan.operations.flatMap((one) => (one.by === "client" ? [one.client] : [])),
    );
    const clients = Math.max(0, ...busy);
    if (clients < this.#plan.options.clients) {
      this.#accepts({ ...this.#plan, options: { ...this.#plan.options, clients } });
    }
  }

  #dropNodes(): void {
    const { options } = this.#plan;
    for (let spares = 0; spares < options.spares; spares += 1) {
      if (this.#accepts({ ...this.#plan, options: { ...this.#plan.options, spares } })) break;
    }
    for (let nodes = 1; nodes < options.nodes; nodes += 1) {
      if (this.#accepts({ ...this.#plan, options: { ...this.#plan.options, nodes } })) break;
    }
  }

  #calmNetwork(): void {
    for (const name of ["lossPercent", "doublePercent", "latePercent", "damagePercent"] as const) {
      const { options } = this.#plan;
      if (options.net[name] === 0) continue;
      const net = { ...options.net, [name]: 0 };
      this.#accepts({ ...this.#plan, options: { ...options, net } });
    }
    for (const change of [{ driftMax: 0 }, { applyMeanMs: 0 }, { shuffleTies: false }]) {
      this.#accepts({ ...this.#plan, options: { ...this.#plan.options, ...change } });
    }
  }
}
