/**
 * VACUUM at intervals (`-auto-vacuum-int`).
 *
 * The reference has each node vacuum for itself. Here the leader sends it through the log, as it
 * would for a client, so that all nodes do it at the same place and stay byte for byte alike.
 * Invariant: only a leader sends it, and never a second one before the first is answered.
 */
import { errorText, type Ms } from "#base";
import type { Command } from "#sqlite/types";

/** How it is done. */
export interface AutoVacuumOptions {
  /** 0: never. */
  readonly everyMs: Ms;
  readonly isLeader: () => boolean;
  readonly execute: (command: Command, options: { readonly timeoutMs: Ms }) => Promise<unknown>;
  readonly onNotice: (text: string) => void;
}

/** A database of many gigabytes takes minutes. */
const VACUUM_MS_MAX: Ms = 600_000;
/** Longest pause that a timer of Node holds, 24.8 days. */
const PAUSE_MS_MAX: Ms = 2 ** 31 - 1;

const VACUUM: Command = {
  kind: "execute",
  statements: [{ sql: "VACUUM", positional: [], named: [] }],
  transaction: false,
  rendering: { associative: false, blobArray: false, qualifyColumns: false, timings: false },
};

/** Starts. @returns how to stop it. */
export function startAutoVacuum(options: AutoVacuumOptions): () => void {
  const { everyMs, isLeader, execute, onNotice } = options;
  if (everyMs <= 0) return () => undefined;
  let isBusy = false;
  const vacuum = async (): Promise<void> => {
    isBusy = true;
    try {
      await execute(VACUUM, { timeoutMs: VACUUM_MS_MAX });
    } catch (error) {
      onNotice(`automatic VACUUM: ${errorText(error)}`);
    }
    isBusy = false;
  };
  const timer = setInterval(
    () => {
      if (isLeader() && !isBusy) void vacuum();
    },
    Math.min(everyMs, PAUSE_MS_MAX),
  );
  timer.unref();
  return () => clearInterval(timer);
}
