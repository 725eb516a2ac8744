/**
 * Contract of chapter 11: simulation, and the judgement of what clients saw.
 *
 * Rules H1 to H6 are in history/types.ts.
 */
import type {
  BankRead,
  BankRules,
  HistoryRecorder,
  LinearizabilityOptions,
  LinearizabilityReport,
  ListAppendOptions,
  ListAppendReport,
  ListTransaction,
  Model,
  Operation,
  PredecessorOracle,
  PromiseOracle,
  ReadOracle,
  Violation,
} from "./history/types.ts";

export type * from "./history/types.ts";

/** What the reference and a reader's module both are. */
export interface SimulationModule {
  /** See the function of this name. */
  createHistory<Input, Output>(): HistoryRecorder<Input, Output>;
  /** See the function of this name. */
  checkLinearizability<State, Input, Output>(
    history: readonly Operation<Input, Output>[],
    model: Model<State, Input, Output>,
    options?: LinearizabilityOptions<Input, Output>,
  ): LinearizabilityReport<Input, Output>;
  /** See the function of this name. */
  checkListAppend(
    history: readonly ListTransaction[],
    options?: ListAppendOptions,
  ): ListAppendReport;
  /** See the function of this name. */
  checkBank(reads: readonly BankRead[], rules: BankRules): Violation[];
  /** See the function of this name. */
  createReadOracle(): ReadOracle;
  /** See the function of this name. */
  createPromiseOracle(): PromiseOracle;
  /** See the function of this name. */
  createPredecessorOracle(): PredecessorOracle;
}
