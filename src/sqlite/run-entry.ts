/**
 * Runs the statements of one log entry.
 *
 * Two ways give the same rows and the same answers. *Shared*: inside a transaction that many
 * entries share; quick, and right as long as a failing statement undoes exactly itself. *Own*: each
 * statement commits alone, as in SQLite without BEGIN, together with its number, so that a crash
 * goes on at the next one. Where the shared way cannot be sure it throws {@link
 * NeedsOwnTransactions} and the caller starts the entry again in the other way, from the state
 * before it.
 * Chapter: 09-sqlite.
 */
import { CairnError } from "#base";
import { bindParameters, type ParameterCursor, ParameterError, parametersOf } from "./prepare.ts";
import { ResultWriter } from "./results.ts";
import {
  misplaced,
  prepareStep,
  refusal,
  runStep,
  type StepResult,
  type StepWants,
  statementFailure,
  WRITE,
} from "./run-step.ts";
import type { Script, Step } from "./script.ts";
import { StatementError, sqliteCode } from "./sqlite-errors.ts";
import { ClientTransaction, ControlError, type OuterTransaction } from "./transaction-control.ts";
import type { Command, Statement } from "./types.ts";
import type { Writer } from "./writer.ts";

/** This entry cannot run in a transaction with others. Not an error: never leaves the module. */
export class NeedsOwnTransactions extends Error {
  override readonly name = "NeedsOwnTransactions";
}

/** How an entry's statements are kept apart from what is around them. */
export interface Surroundings extends OuterTransaction {
  readonly isShared: boolean;
  /** Before a statement outside a client's transaction. */
  enter(): void;
  /** After it, when `done` statements of the entry are done. @throws StatementError at COMMIT. */
  leave(done: number): void;
  /** It failed: undo or keep what it left. */
  fail(error: StatementError, done: number): void;
  /** Runs something that SQLite does only outside a transaction. */
  outside(run: () => void, done: number): void;
  /** The number that the client's COMMIT completes. */
  done: number;
}

/** A statement of a command with its text sorted out. */
export interface PlannedStatement {
  readonly statement: Statement;
  readonly script: Script;
}

/** Runs all statements of a command that has some. */
export class EntryRun {
  readonly #writer: Writer;
  readonly #surroundings: Surroundings;
  readonly #client: ClientTransaction;
  readonly #wants: StepWants;
  readonly #results: ResultWriter;
  /** Number of the next statement in the entry. */
  #number = 0;
  /** Statements that were done before a crash. */
  readonly #skip: number;
  readonly #isAtomic: boolean;

  constructor(
    writer: Writer,
    surroundings: Surroundings,
    options: {
      readonly command: Extract<Command, { readonly rendering: unknown }>;
      readonly isAtomic: boolean;
      readonly wantsAnswer: boolean;
      readonly skip: number;
    },
  ) {
    this.#writer = writer;
    this.#surroundings = surroundings;
    this.#isAtomic = options.isAtomic;
    this.#skip = options.skip;
    this.#wants = { reads: options.command.kind === "request", answer: options.wantsAnswer };
    this.#results = new ResultWriter(options.command.rendering, options.wantsAnswer);
    this.#client = new ClientTransaction(surroundings, (sql) => writer.database.exec(sql));
    if (options.command.kind !== "loadText" && options.isAtomic) this.#client.enclose();
  }

  /** The answers so far. */
  get results(): ResultWriter {
    return this.#results;
  }

  /** Statements that stand alone: errors do not stop the rest. */
  runEach(statements: readonly PlannedStatement[]): void {
    for (const { statement, script } of statements) {
      if (statement.sql === "") continue;
      this.#results.startTimer();
      const failure = this.#statement(statement, script);
      if (failure !== undefined) this.#results.error(failure, this.#wants.reads);
    }
    this.#client.rollback();
  }

  /**
   * Statements that stand or fall together.
   *
   * @returns false if they fell; the caller undoes them.
   */
  runTogether(statements: readonly PlannedStatement[], stopsAtPrepareErrors: boolean): boolean {
    for (const { statement, script } of statements) {
      if (statement.sql === "") continue;
      this.#results.startTimer();
      const failure = this.#statement(statement, script);
      if (failure === undefined) continue;
      this.#results.error(failure, this.#wants.reads);
      if (stopsAtPrepareErrors || !failure.atPrepare) return false;
    }
    this.#client.rollback();
    return true;
  }

  #statement(statement: Statement, script: Script): StatementError | undefined {
    const end = this.#number + script.steps.length;
    const cursor = parametersOf(statement);
    let last: StepResult = WRITE;
    try {
      for (const step of script.steps) {
        if (this.#number < this.#skip) skipParameters(step, cursor);
        else last = this.#step(step, cursor, end);
        this.#number += 1;
      }
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      this.#number = end;
      return error;
    }
    this.#answer(script, last);
    return undefined;
  }

  #answer(script: Script, last: StepResult): void {
    const isEmpty = script.steps.length === 0 || (script.endsEmpty && !this.#wants.reads);
    if (isEmpty) this.#results.empty(this.#wants.reads);
    else if (last.kind === "rows") this.#results.rows(last.columns, last.rows);
    else this.#results.write(this.#writer.state);
  }

  #step(step: Step, cursor: ParameterCursor, end: number): StepResult {
    const done = this.#number + 1;
    const isAlone = !this.#isAtomic && !this.#client.isOpen;
    this.#writer.determinism.enterStatement(this.#number);
    this.#surroundings.done = done;
    if (isAlone && (step.action.kind === "vacuum" || step.action.kind === "foreign-keys")) {
      this.#outside(step, done);
      return WRITE;
    }
    const isControl = step.action.kind === "control";
    if (isAlone && !isControl) this.#surroundings.enter();
    let result: StepResult;
    try {
      result = this.#act(step, cursor);
    } catch (error) {
      if (this.#surroundings.isShared && isFullDisk(error)) throw new NeedsOwnTransactions();
      if (!(error instanceof StatementError)) throw error;
      if (!this.#writer.database.inTransaction) {
        // OR ROLLBACK or RAISE(ROLLBACK): in a shared transaction others are gone with it.
        if (this.#surroundings.isShared) throw new NeedsOwnTransactions();
        this.#client.forget();
      } else if (isAlone && !isControl) this.#surroundings.fail(error, end);
      throw error;
    }
    if (isAlone && !isControl) this.#surroundings.leave(done);
    return result;
  }

  #act(step: Step, cursor: ParameterCursor): StepResult {
    const { action } = step;
    switch (action.kind) {
      case "run":
        return runStep(this.#writer, step, cursor, this.#wants);
      case "refused":
        throw refusal(action.message);
      case "control":
        prepareStep(this.#writer, step);
        try {
          this.#client.control(action.control);
        } catch (error) {
          if (error instanceof ControlError) throw misplaced(error.message);
          throw error;
        }
        return WRITE;
      case "vacuum":
        throw misplaced("cannot VACUUM from within a transaction");
      case "defer-foreign-keys":
        if (this.#isAtomic || this.#client.isOpen) {
          return runStep(this.#writer, step, cursor, this.#wants);
        }
        return WRITE;
      case "foreign-keys":
      case "ignored":
        return WRITE;
    }
  }

  #outside(step: Step, done: number): void {
    const { action } = step;
    this.#surroundings.outside(() => {
      if (action.kind === "foreign-keys") {
        this.#writer.state.foreignKeys = action.on;
        return;
      }
      this.#writer.dropTemporary();
      const prepared = prepareStep(this.#writer, step);
      try {
        prepared.statement.run();
      } catch (error) {
        throw statementFailure(error, { atPrepare: false, isRead: false });
      }
      this.#writer.scripts.forgetStatements();
    }, done);
  }
}

/** It may be an exhausted AUTOINCREMENT; what is committed by then tells which. */
function isFullDisk(error: unknown): boolean {
  return error instanceof CairnError && sqliteCode(error.cause) === "SQLITE_FULL";
}

/** Moves the cursor as the statement did before the crash. */
function skipParameters(step: Step, cursor: ParameterCursor): void {
  try {
    bindParameters(step.piece, cursor);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    // It failed then as well, and its answer has gone with the process.
  }
}
