/**
 * Applies committed entries to the writer connection.
 *
 * Entries share one SQLite transaction as long as they can (`run-entry.ts`), and the applied index
 * moves with them. Where one cannot, those before it are committed, it runs in transactions of its
 * own, and the rest go on. Invariant (Q1): rows and answers do not depend on how entries are cut
 * into batches.
 * Chapter: 09-sqlite.
 */
import { assert, type Bytes } from "#base";
import { isKvCommand } from "#replica";
import type { CommittedEntry } from "#replica/types";
import { decodeCommand } from "./command-codec.ts";
import { applyLoad, type LoadCommand } from "./load-pieces.ts";
import { ResultWriter } from "./results.ts";
import { EntryRun, NeedsOwnTransactions, type PlannedStatement } from "./run-entry.ts";
import { StatementError } from "./sqlite-errors.ts";
import { commitState, ownSurroundings, rollback, sharedSurroundings } from "./surroundings.ts";
import type { Command, Rendering, Statement } from "./types.ts";
import type { Writer } from "./writer.ts";

type StatementCommand = Extract<Command, { readonly rendering: Rendering }>;

interface Work {
  readonly entry: CommittedEntry;
  /** Undefined for entries that change nothing. */
  readonly command: StatementCommand | undefined;
  readonly statements: readonly PlannedStatement[];
  readonly load: LoadCommand | undefined;
}

const PLAIN: Rendering = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
};
const NO_PARAMETERS = { positional: [], named: [] } as const;

/**
 * Applies entries in order.
 *
 * @returns one answer an entry, null where nobody waits.
 */
export function applyEntries(writer: Writer, entries: readonly CommittedEntry[]): (Bytes | null)[] {
  const works = entries.map((entry) => workOf(writer, entry));
  const answers: (Bytes | null)[] = [];
  let from = 0;
  while (from < works.length) {
    from = applyShared(writer, works.slice(from), answers) + from;
    const work = works[from];
    if (work === undefined) break;
    answers.push(applyOwn(writer, work));
    from += 1;
  }
  return answers;
}

function workOf(writer: Writer, entry: CommittedEntry): Work {
  const nothing = { entry, command: undefined, load: undefined, statements: [] };
  // What the key-value machine does leaves no trace here but the index.
  if (entry.kind !== "command" || isKvCommand(entry.payload)) return nothing;
  const command = decodeCommand(entry.payload);
  switch (command.kind) {
    case "barrier":
      return nothing;
    case "loadFile":
    case "loadPiece":
    case "loadFinish":
    case "loadAbort":
      return { ...nothing, load: command };
    default: {
      const statements = statementsOf(command).map((statement) => ({
        statement,
        script: writer.scripts.script(statement.sql),
      }));
      return { entry, command, load: undefined, statements };
    }
  }
}

/** Applies the works that can share one transaction. @returns how many from the first on. */
function applyShared(writer: Writer, works: readonly Work[], answers: (Bytes | null)[]): number {
  const together = works.findIndex((work) => needsOwnTransactions(writer, work));
  const candidates = together < 0 ? works : works.slice(0, together);
  if (candidates.length === 0 || writer.state.statementsDone > 0) return 0;
  const before = { ...writer.state };
  const answersBefore = answers.length;
  let done = 0;
  writer.run("BEGIN IMMEDIATE");
  try {
    for (const work of candidates) {
      // A statement before may have made the schema one that needs more care.
      if (done > 0 && needsOwnTransactions(writer, work)) break;
      answers.push(applyOneShared(writer, work));
      done += 1;
    }
    commitState(writer);
    return done;
  } catch (error) {
    const isCommit = error instanceof StatementError;
    if (!isCommit && !(error instanceof NeedsOwnTransactions)) throw error;
    rollback(writer);
    writer.state = before;
    writer.syncCounters();
    answers.length = answersBefore;
    // The entry in question is the one at `done`; those before it run again, up to it.
    const again = isCommit ? 0 : applyShared(writer, works.slice(0, done), answers);
    assert(isCommit || again === done, "sqlite: entries run the same way twice");
    return again;
  }
}

function applyOneShared(writer: Writer, work: Work): Bytes | null {
  const { entry, command } = work;
  enter(writer, entry);
  let answer = emptyAnswer(entry);
  if (command !== undefined) {
    const run = new EntryRun(writer, sharedSurroundings(writer, true), {
      command,
      isAtomic: isAtomic(command),
      wantsAnswer: entry.proposalId !== 0,
      skip: 0,
    });
    if (isAtomic(command)) {
      writer.run("SAVEPOINT _cairn_entry");
      if (!together(run, work)) {
        writer.run("ROLLBACK TO _cairn_entry");
        writer.scripts.forgetStatements();
      }
      writer.run("RELEASE _cairn_entry");
    } else run.runEach(work.statements);
    if (makesTemporary(work)) writer.dropTemporary();
    answer = run.results.finish();
  }
  writer.state.appliedIndex = entry.index;
  return answer;
}

function applyOwn(writer: Writer, work: Work): Bytes | null {
  const { entry, command, load } = work;
  enter(writer, entry);
  if (load !== undefined) return applyFileLoad(writer, entry, load);
  let answer = emptyAnswer(entry);
  if (command !== undefined) {
    const run = isAtomic(command)
      ? runAtomicOwn(writer, work, command)
      : runEachOwn(writer, work, command);
    if (run.isComplete) return run.answer;
    answer = run.answer;
  }
  complete(writer, entry);
  return answer;
}

function runEachOwn(
  writer: Writer,
  work: Work,
  command: StatementCommand,
): { readonly answer: Bytes | null; readonly isComplete: boolean } {
  const run = new EntryRun(writer, ownSurroundings(writer), {
    command,
    isAtomic: false,
    wantsAnswer: work.entry.proposalId !== 0,
    skip: writer.state.statementsDone,
  });
  run.runEach(work.statements);
  if (makesTemporary(work)) writer.dropTemporary();
  return { answer: run.results.finish(), isComplete: false };
}

function runAtomicOwn(
  writer: Writer,
  work: Work,
  command: StatementCommand,
): { readonly answer: Bytes | null; readonly isComplete: boolean } {
  const enforced = writer.enforcesForeignKeys;
  const wanted = command.kind === "loadText" ? foreignKeysOf(work) : undefined;
  // For this load only: a dump says OFF, and must not switch the cluster's rule off for good.
  if (wanted !== undefined) writer.setForeignKeys(wanted);
  const run = new EntryRun(writer, sharedSurroundings(writer, false), {
    command,
    isAtomic: true,
    wantsAnswer: work.entry.proposalId !== 0,
    skip: 0,
  });
  writer.run("BEGIN IMMEDIATE");
  let isComplete = together(run, work);
  try {
    if (isComplete) {
      if (makesTemporary(work)) writer.dropTemporary();
      writer.state.appliedIndex = work.entry.index;
      commitState(writer);
    }
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    run.results.text(error.message);
    isComplete = false;
  }
  if (!isComplete) rollback(writer);
  if (wanted !== undefined) writer.setForeignKeys(enforced);
  return { answer: run.results.finish(), isComplete };
}

function applyFileLoad(writer: Writer, entry: CommittedEntry, load: LoadCommand): Bytes | null {
  const results = new ResultWriter(PLAIN, entry.proposalId !== 0);
  const { problem, isComplete } = applyLoad(writer, load, {
    index: entry.index,
    complete: () => complete(writer, entry),
  });
  if (problem !== undefined) results.text(problem);
  if (!isComplete) complete(writer, entry);
  return results.finish();
}

/** Commits that the entry is done, together with what the transaction under way holds. */
function complete(writer: Writer, entry: CommittedEntry): void {
  if (!writer.database.inTransaction) writer.run("BEGIN IMMEDIATE");
  writer.state.appliedIndex = entry.index;
  writer.state.statementsDone = 0;
  commitState(writer);
}

function enter(writer: Writer, entry: CommittedEntry): void {
  const { appliedIndex } = writer.state;
  assert(
    entry.index > appliedIndex,
    `sqlite: entries are applied in order, got ${entry.index} after ${appliedIndex}`,
  );
  writer.sawLargestRowid = false;
  writer.determinism.enterEntry(entry.timeMs, entry.seed);
}

function together(run: EntryRun, { command, statements }: Work): boolean {
  return run.runTogether(statements, command?.kind !== "request");
}

function isAtomic(command: StatementCommand): boolean {
  return command.kind === "loadText" || command.transaction;
}

function statementsOf(command: StatementCommand): readonly Statement[] {
  return command.kind === "loadText"
    ? [{ sql: command.sql, ...NO_PARAMETERS }]
    : command.statements;
}

function needsOwnTransactions(writer: Writer, work: Work): boolean {
  const { command, load, statements } = work;
  if (load !== undefined) return true;
  if (command === undefined) return false;
  const enforces = writer.enforcesForeignKeys;
  if (enforces && writer.hasDeferredKeys) return true;
  return statements.some(({ script }) => {
    if (enforces && script.mentionsDeferral) return true;
    if (!script.needsOwnTransactions) return false;
    return command.kind === "loadText" || !command.transaction;
  });
}

function makesTemporary({ statements }: Work): boolean {
  return statements.some(({ script }) => script.makesTemporary);
}

/** What a dump's first PRAGMA foreign_keys says, if it has one. */
function foreignKeysOf({ statements }: Work): boolean | undefined {
  for (const { script } of statements) {
    for (const { action } of script.steps) if (action.kind === "foreign-keys") return action.on;
  }
  return undefined;
}

function emptyAnswer(entry: CommittedEntry): Bytes | null {
  return entry.proposalId === 0 ? null : EMPTY_ANSWER;
}

const EMPTY_ANSWER = new TextEncoder().encode("[]");
