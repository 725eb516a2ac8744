/**
 * What clients asked and were told, in the forms that the checkers of histories want.
 *
 * Invariant: each event has a number of its own, so that no order is lost.
 * Chapter: 11-simulation.
 */

import type {
  BankRead,
  HistoryRecorder,
  ListStep,
  ListTransaction,
  RegisterInput,
  RegisterOutput,
} from "../history/index.ts";
import {
  checkBank,
  checkLinearizability,
  checkListAppend,
  createHistory,
  registerModel,
} from "../history/index.ts";
import { brokenInvariant } from "../invariants/index.ts";
import {
  ACCOUNTS,
  BALANCE_START,
  LISTS,
  listValues,
  READ_ACCOUNTS,
  READ_LISTS,
  REGISTERS,
} from "./commands.ts";

type Rows = readonly (readonly (string | number | null)[])[];

/** How a read ends. */
export interface OpenRead {
  readonly ok: (rows: Rows) => void;
  readonly end: (outcome: "failed" | "unknown") => void;
}

/** See the file's header. */
export class Records {
  readonly registers: HistoryRecorder<RegisterInput, RegisterOutput> = createHistory();
  readonly #lists: ListTransaction[] = [];
  readonly #bank: BankRead[] = [];
  readonly #seen = new Map<string, number | null>();
  #events = 0;

  /** What somebody read last in a register: a guess that is often right. */
  lastSeen(key: string): number | null {
    return this.#seen.get(key) ?? null;
  }

  callList(process: number, steps: readonly ListStep[]): number {
    this.#events += 1;
    const calledAt = this.#events;
    this.#lists.push({ process, outcome: "unknown", steps, calledAt, returnedAt: Infinity });
    return this.#lists.length - 1;
  }

  endList(handle: number, outcome: "failed" | "unknown"): void {
    this.#events += 1;
    const returnedAt = outcome === "unknown" ? Infinity : this.#events;
    this.#lists[handle] = { ...this.#lists[handle]!, outcome, returnedAt };
  }

  /** @param rows - of lists, each its key and its items. */
  okList(handle: number, rows: Rows): void {
    this.#events += 1;
    const lists = new Map(rows.map(([key, items]) => [`${key}`, listValues(`${items}`)]));
    const open = this.#lists[handle]!;
    const steps = open.steps.map((step): ListStep => {
      return step.kind === "read" ? { ...step, values: lists.get(step.key) ?? [] } : step;
    });
    this.#lists[handle] = { ...open, steps, outcome: "ok", returnedAt: this.#events };
  }

  /** A read of everything of one kind, at one moment. */
  callRead(process: number, sql: string): OpenRead {
    if (sql === READ_LISTS) {
      const steps = LISTS.map((key): ListStep => ({ kind: "read", key, values: undefined }));
      const handle = this.callList(process, steps);
      return {
        ok: (rows) => this.okList(handle, rows),
        end: (outcome) => this.endList(handle, outcome),
      };
    }
    if (sql === READ_ACCOUNTS) {
      return {
        ok: (rows) => {
          const balances = new Map(rows.map(([key, balance]) => [`${key}`, Number(balance)]));
          this.#bank.push({ process, balances });
        },
        end: () => undefined,
      };
    }
    const handles = REGISTERS.map((key) => this.registers.call(process, key, { kind: "get" }));
    return {
      ok: (rows) => {
        const values = new Map(rows.map(([key, value]) => [key, value as number | null]));
        for (const [at, key] of REGISTERS.entries()) {
          const value = values.get(key) ?? null;
          this.#seen.set(key, value);
          this.registers.ok(handles[at]!, value);
        }
      },
      end: (outcome) => {
        for (const handle of handles) this.registers[outcome](handle);
      },
    };
  }

  /** @throws BrokenInvariant if no correct store could have answered so. */
  check(): void {
    const registers = checkLinearizability(this.registers.operations(), registerModel);
    if (registers.kind === "violated") throw brokenInvariant("G12", 0, registers.text);
    const lists = checkListAppend(this.#lists);
    if (lists.kind === "violated") throw brokenInvariant("G12", 0, lists.text);
    const total = ACCOUNTS.length * BALANCE_START;
    const [bank] = checkBank(this.#bank, { accounts: ACCOUNTS, total, balanceMin: 0 });
    if (bank !== undefined) throw brokenInvariant("G12", 0, `${bank.rule}: ${bank.text}`);
  }
}
