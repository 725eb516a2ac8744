/**
 * What clients saw, judged while it happens and at the end: G11, G13, G14, and the history for
 * G15.
 *
 * Invariant: an operation is reported once; what no node will ever answer is unknown, and what
 * certainly never happened is failed. Chapter: 11-simulation.
 */
import type { Index } from "#raft/types";
import {
  checkLinearizability,
  createPredecessorOracle,
  createPromiseOracle,
  createReadOracle,
  registerModel,
} from "../history/index.ts";
import { brokenInvariant, type Ledger } from "../invariants/index.ts";
import type { Command, CommandResult, ModelEntry } from "../process/index.ts";
import type { Operation, RegisterInput, RegisterOutput, Violation } from "../types.ts";
import type { ClientAction } from "./types.ts";

/** An operation that has begun. */
export interface OpenOperation {
  readonly action: ClientAction;
  readonly place: number;
  /** What was committed when it began. */
  readonly committedBefore: Index;
}

/** How many operations ended how. */
export interface WorkloadCounts {
  ok: number;
  failed: number;
  unknown: number;
}

/** See the file's header. */
export class Workload {
  readonly #ledger: Ledger;
  readonly #reads = createReadOracle();
  readonly #promises = createPromiseOracle();
  readonly #predecessors = createPredecessorOracle();
  readonly #operations: Operation<RegisterInput, RegisterOutput>[] = [];
  /** When a write was first applied anywhere, by its command. */
  readonly #appliedTick = new Map<number, number>();
  #ticks = 0;
  #appliedTo: Index = 0;
  readonly counts: WorkloadCounts = { ok: 0, failed: 0, unknown: 0 };

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  begin(action: ClientAction, process: number): OpenOperation {
    this.#ticks += 1;
    const place = this.#operations.length;
    this.#operations.push({
      process,
      key: action.key,
      input: inputOf(action, this),
      outcome: "unknown",
      output: undefined,
      calledAt: this.#ticks,
      returnedAt: Number.POSITIVE_INFINITY,
      note: `${action.id}`,
    });
    this.#reads.committed(this.#ledger.lastIndex);
    return { action, place, committedBefore: this.#reads.called() };
  }

  /** A read was answered. */
  read(
    { action, place, committedBefore }: OpenOperation,
    index: Index,
    value: RegisterOutput,
  ): void {
    const broken = this.#reads.returned(committedBefore, index);
    if (broken !== undefined) {
      raise({ ...broken, text: `client ${action.client} by ${action.via}: ${broken.text}` });
    }
    this.#end(place, "ok", value);
    this.counts.ok += 1;
  }

  /** A write was answered. */
  wrote({ action, place }: OpenOperation, result: CommandResult): void {
    raise(this.#promises.acknowledged(`${action.id}`, result.ranAt));
    if (result.written) {
      raise(this.#predecessors.acknowledged(result.ranAt, action.key, result.previous));
    }
    this.#end(place, "ok", action.kind === "cas" ? result.written : true);
    this.counts.ok += 1;
  }

  /** It has not happened and never will. */
  failed({ action, place }: OpenOperation): void {
    if (action.kind !== "get") raise(this.#promises.refused(`${action.id}`));
    this.#end(place, "failed", undefined);
    this.counts.failed += 1;
  }

  /** The client has given up. A read that was not answered has seen nothing. */
  unknown({ action, place }: OpenOperation): void {
    if (action.kind === "get") this.#end(place, "failed", undefined);
    this.counts.unknown += 1;
  }

  /** What a compare-and-set expects: what its client believes the key holds. */
  readonly believed = new Map<string, number | string | null>();

  /** A node has applied an entry. */
  applied(index: Index, entry: ModelEntry, result: CommandResult | undefined): void {
    const isFirst = index > this.#appliedTo;
    if (isFirst) this.#appliedTo = index;
    const { command } = entry;
    if (command === undefined || result === undefined || result.repeated) return;
    const name = `${command.id}`;
    if (isFirst) this.#firstApplied(index, command, result);
    raise(this.#promises.applied(name, index));
  }

  /** At the end of a run. @throws BrokenInvariant G13 or G15. */
  finish(): void {
    raise(this.#promises.end()[0]);
    const report = checkLinearizability(this.#operations, registerModel, {
      fateOf: ({ note }) => this.#appliedTick.get(Number(note)) ?? "never",
    });
    if (report.kind === "violated") throw brokenInvariant("G15", 0, report.text);
  }

  #firstApplied(index: Index, command: Command, result: CommandResult): void {
    this.#ticks += 1;
    this.#appliedTick.set(command.id, this.#ticks);
    this.#promises.committed(`${command.id}`, index);
    if (!result.written) return;
    this.#predecessors.committed(index, command.key, command.value);
    this.believed.set(command.key, command.value);
  }

  #end(place: number, outcome: "ok" | "failed", output: RegisterOutput | undefined): void {
    this.#ticks += 1;
    const before = this.#operations[place]!;
    this.#operations[place] = { ...before, outcome, output, returnedAt: this.#ticks };
  }
}

/** The action as the history knows it. */
export function inputOf(action: ClientAction, workload: Workload): RegisterInput {
  if (action.kind === "get") return { kind: "get" };
  if (action.kind === "put") return { kind: "put", value: action.value };
  const expected = workload.believed.get(action.key) ?? null;
  return { kind: "cas", expected, value: action.value };
}

function raise(violation: Violation | undefined): void {
  if (violation !== undefined) throw brokenInvariant(violation.rule, 0, violation.text);
}
