/**
 * Entries, machines and answers for the tests of the SQL writer.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommittedEntry } from "#replica/types";
import { encodeCommand, openSqliteMachine } from "#sqlite";
import type { Command, Rendering, SqliteMachine, SqlValue, Statement } from "#sqlite/types";

export const PLAIN: Rendering = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
};

/** 2024-02-29 12:34:56.789 UTC. */
export const TIME_MS = 1_709_210_096_789;

/** A statement from its text and positional parameters. */
export function sql(text: string, ...positional: SqlValue[]): Statement {
  return { sql: text, positional, named: [] };
}

/** Statements or texts as an execute. */
export function execute(...statements: (string | Statement)[]): Command {
  return {
    kind: "execute",
    statements: statements.map((one) => (typeof one === "string" ? sql(one) : one)),
    transaction: false,
    rendering: PLAIN,
  };
}

export function request(...statements: (string | Statement)[]): Command {
  return { ...execute(...statements), kind: "request" } as Command;
}

export function transaction(...statements: (string | Statement)[]): Command {
  return { ...execute(...statements), transaction: true } as Command;
}

export function loadText(text: string): Command {
  return { kind: "loadText", sql: text, rendering: PLAIN };
}

/** The entry at `index` of a history: time and seed follow from the index. */
export function entryOf(index: number, command: Command): CommittedEntry {
  return {
    index,
    term: 1,
    kind: "command",
    timeMs: TIME_MS + index * 1001,
    seed: BigInt.asUintN(64, BigInt(index) * 0x9e37_79b9_7f4a_7c15n),
    payload: encodeCommand(command),
    proposalId: index,
  };
}

/** A machine in a directory of its own, driven one command at a time. */
export interface Bench {
  readonly path: string;
  machine: SqliteMachine;
  /**
   * Applies one command; gives the parsed answers. Integers beyond 2^53 lose digits: see `text`.
   */
  apply(command: Command): unknown[];
  /** As `apply`, unparsed. */
  text(command: Command): string;
  /** Applies several commands as one batch. */
  batch(...commands: Command[]): unknown[][];
  /** Closes and opens again. */
  reopen(): void;
  hex(): string;
  close(): void;
}

export function openBench(
  options: { foreignKeys?: boolean; checkpointBytes?: number } = {},
): Bench {
  const dir = mkdtempSync(join(tmpdir(), "cairn-sqlite-"));
  const path = join(dir, "db.sqlite");
  const decoder = new TextDecoder();
  const bench: Bench = {
    path,
    machine: openSqliteMachine({ path, ...options }),
    apply: (command) => JSON.parse(bench.text(command)),
    text(command) {
      const entry = entryOf(bench.machine.appliedIndex() + 1, command);
      return decoder.decode(bench.machine.applyBatch([entry])[0] ?? new Uint8Array());
    },
    batch(...commands) {
      const first = bench.machine.appliedIndex() + 1;
      const entries = commands.map((command, at) => entryOf(first + at, command));
      return bench.machine
        .applyBatch(entries)
        .map((answer) => JSON.parse(decoder.decode(answer ?? new Uint8Array())));
    },
    reopen() {
      bench.machine.close();
      bench.machine = openSqliteMachine({ path, ...options });
    },
    hex: () => Buffer.from(bench.machine.digest()).toString("hex"),
    close() {
      bench.machine.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return bench;
}
