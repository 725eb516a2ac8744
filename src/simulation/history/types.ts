/**
 * Contract of the history checkers: what clients saw, and whether a correct store could have
 * answered so.
 *
 * H1 A verdict is `holds` only after an order was found, and `violated` only after all were ruled
 * out; when the budget ends first it is `unknown`. H2 An operation without an answer may have
 * happened at any time after its call, or never. H3 What did not happen is seen by nobody. H4 A
 * violation is explained by operations of the history, with clients and values. H5 The oracles
 * need constant time for each event. H6 Transactions are judged by their dependencies, in time that
 * grows with the history.
 */

/** How an operation ended, as its client saw it: `unknown` is a timeout or a broken connection. */
export type Outcome = "ok" | "failed" | "unknown";

/** One operation of one client on one key. */
export interface Operation<Input, Output> {
  /** The client, or its process. For people, and for the order of what a client does itself. */
  readonly process: number;
  readonly key: string;
  readonly input: Input;
  readonly outcome: Outcome;
  /** What was answered; undefined unless the outcome is `ok`. */
  readonly output: Output | undefined;
  /**
   * When it was called. Only the order of times counts, not their unit. Of two operations with a
   * common border neither comes first; numbers from {@link HistoryRecorder} never tie.
   */
  readonly calledAt: number;
  /** When the answer came: above `calledAt`; Infinity for `unknown`. */
  readonly returnedAt: number;
  /** Printed in explanations, such as a place in a trace. */
  readonly note?: string;
}

/** What a correct object does, one operation after the other. A state is never changed in place. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * @param output - what the client was told; undefined if it was told nothing.
   * @returns the state afterwards; undefined if a correct object could not have answered so.
   */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
  /** Equal for states that are equal, and only for them. */
  keyOf(state: State): string | number | null;
  /** True for an answer that, in every state that gives it, leaves the state as it was. */
  isRead(input: Input, output: Output | undefined): boolean;
  /**
   * May the answer of `reader` rest on `writer` having happened? When in doubt, yes. What nobody
   * needs is left out of explanations, and of the search if it is `unknown`.
   */
  needs(reader: Operation<Input, Output>, writer: Operation<Input, Output>): boolean;
  /**
   * Does the answer prove that `writer` has happened, or another of which this is true? Never, if
   * absent. Where there is one such writer, it had happened when the answer came.
   */
  proves?(reader: Operation<Input, Output>, writer: Operation<Input, Output>): boolean;
  /**
   * For objects that hold one value: the key of the state that the operation leaves behind, if it
   * can change anything. Together with `finds` it lets the search see dead ends early.
   */
  leaves?(operation: Operation<Input, Output>): string | number | null | undefined;
  /** The key of the state that the operation came upon, if its answer tells. */
  finds?(operation: Operation<Input, Output>): string | number | null | undefined;
  /** The operation in a few words. */
  describe(input: Input, output: Output | undefined): string;
}

/** What is known from elsewhere of an unknown operation: by when it had happened, or that never. */
export type Fate = number | "never" | undefined;

/** Options of a linearizability check. */
export interface LinearizabilityOptions<Input, Output> {
  /**
   * Steps of the search for each key. Default 2,000,000: about a second. Larger: fewer `unknown`.
   */
  readonly stepsMax?: number;
  /** Asked for each unknown operation, such as of the ledger of a simulator. Default: nothing. */
  readonly fateOf?: (operation: Operation<Input, Output>) => Fate;
}

/** `unknown`: the search ended at its budget, and nothing has been shown. */
export type VerdictKind = "holds" | "violated" | "unknown";

/** What came out for one key. */
export interface KeyVerdict<Input, Output> {
  readonly key: string;
  readonly kind: VerdictKind;
  /** Steps that the search took. */
  readonly steps: number;
  /**
   * `holds`: all that happened, in an order that explains it. Else the longest order that was
   * found for the beginning of the history.
   */
  readonly order: readonly Operation<Input, Output>[];
  /** `violated`: up to here the history fits no order, and before its answer it still did. */
  readonly misfit: Operation<Input, Output> | undefined;
  /** `violated`: operations that are enough to see it, `misfit` among them. */
  readonly evidence: readonly Operation<Input, Output>[];
}

/** What came out for a history. */
export interface LinearizabilityReport<Input, Output> {
  /** The worst of all keys: `violated`, then `unknown`, then `holds`. */
  readonly kind: VerdictKind;
  readonly keys: readonly KeyVerdict<Input, Output>[];
  /** For a person: one line, and an explanation of each key that does not hold. */
  readonly text: string;
}

/** Something that a correct store does not do. */
export interface Violation {
  /** The rule's short name, such as `G11` or `lost append`. */
  readonly rule: string;
  /** What happened, with clients and values. */
  readonly text: string;
}

/** Collects a history while it happens. Each event gets a number of its own, from 1. */
export interface HistoryRecorder<Input, Output> {
  /** An operation is called. @returns its handle. */
  call(process: number, key: string, input: Input, note?: string): number;
  /** @throws RangeError if the handle is not open, as for the other two. */
  ok(handle: number, output: Output): void;
  /** It certainly did not happen and never will. */
  failed(handle: number): void;
  /** Nobody knows. The same as never telling. */
  unknown(handle: number): void;
  /** All so far, in order of their calls; what is open is `unknown`. */
  operations(): Operation<Input, Output>[];
}

/** A value of a register; null is what it holds before the first write. */
export type RegisterValue = string | number | null;

/** What is asked of a register. */
export type RegisterInput =
  | { readonly kind: "get" }
  | { readonly kind: "put"; readonly value: RegisterValue }
  /** Compare-and-set: writes `value` if the register holds `expected`. */
  | { readonly kind: "cas"; readonly expected: RegisterValue; readonly value: RegisterValue };

/** `get`: the value. `cas`: whether it wrote. `put`: true. */
export type RegisterOutput = RegisterValue | boolean;

/** What is asked of a list that only grows. */
export type ListInput =
  | { readonly kind: "append"; readonly value: string | number }
  | { readonly kind: "read" };

/** `read`: all values in order. `append`: true. */
export type ListOutput = readonly (string | number)[] | true;

/** Balances that one transaction read of all accounts. */
export interface BankRead {
  readonly process: number;
  readonly balances: ReadonlyMap<string, number>;
  readonly note?: string;
}

/** What every state of a bank has in common. */
export interface BankRules {
  readonly accounts: readonly string[];
  readonly total: number;
  /** The smallest balance that is allowed. Default: any. */
  readonly balanceMin?: number;
}

/** One step of a transaction on lists. Values of one key are appended once in a history. */
export type ListStep =
  | { readonly kind: "append"; readonly key: string; readonly value: number }
  /** `values` is undefined where the transaction has not ended `ok`. */
  | { readonly kind: "read"; readonly key: string; readonly values: readonly number[] | undefined };

/** A transaction on lists, with times as in {@link Operation}. */
export interface ListTransaction {
  readonly process: number;
  readonly outcome: Outcome;
  readonly steps: readonly ListStep[];
  readonly calledAt: number;
  readonly returnedAt: number;
  readonly note?: string;
}

/**
 * Why one transaction comes before another: it wrote what the other wrote over (`ww`) or read
 * (`wr`), it read what the other wrote over (`rw`), or it had returned before the other was called
 * (`rt`).
 */
export type DependencyKind = "ww" | "wr" | "rw" | "rt";

/** A dependency between transactions, by their places in the history. */
export interface Dependency {
  readonly from: number;
  readonly to: number;
  readonly kind: DependencyKind;
  /** In words, with keys and values. */
  readonly why: string;
}

/** Options of a check of transactions on lists. */
export interface ListAppendOptions {
  /**
   * Default `strict-serializable`: in an order that agrees with real time. `serializable`: in any
   * order.
   */
  readonly level?: "serializable" | "strict-serializable";
}

/** What came out for a history of transactions on lists. */
export interface ListAppendReport {
  readonly kind: "holds" | "violated";
  readonly violations: readonly Violation[];
  /** A short cycle of the worst kind; empty if there is none. */
  readonly cycle: readonly Dependency[];
  /** For a person. */
  readonly text: string;
}

/** G11: a linearizable read returns at or above what was committed when it was called. O(1). */
export interface ReadOracle {
  /** An index is known to be committed, on any node. */
  committed(index: number): void;
  /** A read is called. @returns what {@link ReadOracle.returned} wants to be given. */
  called(): number;
  /** A read returned, at this index. Only linearizable and strong reads promise this. */
  returned(calledAtIndex: number, index: number): Violation | undefined;
}

/** G13: what clients were told of their writes is true. O(1) for each event. */
export interface PromiseOracle {
  /** The write is at a committed index. May be more than one, if the client repeats itself. */
  committed(write: string, index: number): void;
  /** A node applied the write. Every node applies it at the same index, and no other. */
  applied(write: string, index: number): Violation | undefined;
  /** The client was told that it happened, at this index. */
  acknowledged(write: string, index: number): Violation | undefined;
  /** The client was told that it has not happened and never will. */
  refused(write: string): Violation | undefined;
  /** At the end of a healed run: every acknowledged write was applied. */
  end(): readonly Violation[];
}

/**
 * G14: a write that returns what it wrote over returns the newest committed write below it.
 * Notices a commit that vanished, without any read. O(1) for each event.
 */
export interface PredecessorOracle {
  /** A committed write. Once for each, in ascending order of index. @throws RangeError else. */
  committed(index: number, key: string, value: RegisterValue): void;
  /** The write at `index` answered that it wrote over `previous`. */
  acknowledged(index: number, key: string, previous: RegisterValue): Violation | undefined;
}
