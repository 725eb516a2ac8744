/**
 * Clients: one operation after the other, at the leader or anywhere, with a time limit, and a
 * record of what they asked and were told.
 *
 * Invariant: an operation ends once, as its client saw it; what comes after the limit changes the
 * ledger only. The number of an operation is its proposal's, and the seed sealed in its entry.
 * Chapter: 11-simulation.
 */
import { type Bytes, type Cancel, errorText } from "#base";
import { mixSeeds, seededRandom } from "#platform";
import type { Random } from "#platform/types";
import type { ProposalFailure, ReadOutcome } from "#replica/types";
import type { Command, SqlValue } from "#sqlite/types";
import { brokenInvariant } from "../invariants/index.ts";
import type { Answers, RealCluster } from "./cluster.ts";
import {
  ACCOUNTS,
  appendCommand,
  casCommand,
  LISTS,
  moveCommand,
  putCommand,
  READ_ACCOUNTS,
  READ_LISTS,
  READ_REGISTERS,
  REGISTERS,
  setupCommand,
  strongRead,
} from "./commands.ts";
import type { RealNode } from "./node.ts";
import { Records } from "./records.ts";

const CLIENT_STREAM = 301;
/** Of a hundred operations. */
const ANYWHERE_PERCENT = 30;
const AMOUNT_MAX = 60;
/** What must be done at last is tried again after so long. */
const RETRY_MS = 10;

/** What one statement was answered. */
export interface Answer {
  readonly error?: string;
  readonly rows_affected?: number;
  readonly values?: readonly (readonly (string | number | null)[])[];
}

type Rows = readonly (readonly (string | number | null)[])[];

/** One operation under way. */
interface Open {
  readonly id: number;
  readonly text: string;
  readonly readCalledAt: number;
  readonly sql: string | undefined;
  readonly end: (outcome: "failed" | "unknown") => void;
  readonly ok: (answers: readonly Answer[]) => void;
  readonly cancel: Cancel;
  readonly next: () => void;
}

/** See the file's header. */
export class Clients implements Answers {
  readonly #cluster: RealCluster;
  readonly records: Records = new Records();
  readonly #open = new Map<number, Open>();
  readonly #reads = new Map<number, { readonly called: number; readonly sql: string }>();
  readonly #writes = new Set<number>();
  readonly acknowledged: Set<number> = new Set();
  readonly refused: Set<number> = new Set();
  readonly counts: { ok: number; failed: number; unknown: number } = {
    ...{ ok: 0, failed: 0, unknown: 0 },
  };
  isStopped = false;
  #nextId = 1;

  constructor(cluster: RealCluster) {
    this.#cluster = cluster;
    cluster.answers = this;
  }

  /** Makes the tables. Resolves with whether they are there. */
  setUp(limitMs: number): Promise<boolean> {
    let isDone = false;
    const attempt = (): void => {
      this.#write(setupCommand(), "set up", {
        ok: () => {
          isDone = true;
        },
        end: () => void this.#cluster.clock.after(RETRY_MS, attempt),
        next: () => undefined,
        isWrite: false,
        anywhere: 100,
      });
    };
    attempt();
    return this.#cluster.runUntil(() => isDone, limitMs);
  }

  /** Lets the clients begin; each goes on until it is stopped. */
  start(): void {
    const { seed, clients, thinkMs } = this.#cluster.options;
    for (let client = 1; client <= clients; client += 1) {
      const random = seededRandom(mixSeeds(seed, CLIENT_STREAM, client));
      const next = (): void => {
        const pause = random.below(2 * thinkMs + 1);
        this.#cluster.clock.after(pause, () => {
          if (!this.isStopped) this.#operate(client, random, next);
        });
      };
      next();
    }
  }

  /** One write that must be answered. */
  async mustWrite(limitMs: number): Promise<boolean> {
    let isDone = false;
    const value = this.#nextId;
    const attempt = (): void => {
      const handle = this.records.registers.call(99, REGISTERS[0]!, { kind: "put", value });
      this.#write((id) => putCommand(id, REGISTERS[0]!, value, 0), "last put", {
        ok: () => {
          this.records.registers.ok(handle, true);
          isDone = true;
        },
        end: (outcome) => {
          this.records.registers[outcome](handle);
          this.#cluster.clock.after(RETRY_MS, attempt);
        },
        next: () => undefined,
        isWrite: true,
        anywhere: 100,
      });
    };
    attempt();
    return this.#cluster.runUntil(() => isDone, limitMs);
  }

  /* ---- one operation ---- */

  #operate(client: number, random: Random, next: () => void): void {
    const choice = random.below(100);
    const pick = (names: readonly string[]): string => names[random.below(names.length)]!;
    const anywhere = random.below(100);
    const rest = { next, anywhere, isWrite: true };
    if (choice < 25) return this.#put(client, pick(REGISTERS), rest);
    if (choice < 35) return this.#cas(client, pick(REGISTERS), rest);
    if (choice < 50) {
      const from = pick(ACCOUNTS);
      const amount = 1 + random.below(AMOUNT_MAX);
      const to = pick(ACCOUNTS.filter((account) => account !== from));
      const make = (id: number): Command => moveCommand(id, from, to, amount);
      const none = (): void => undefined;
      return this.#write(make, `c${client} move ${from} ${to}`, { ...rest, ok: none, end: none });
    }
    if (choice < 65) return this.#append(client, pick(LISTS), pick(LISTS), rest);
    const kinds = [READ_REGISTERS, READ_REGISTERS, READ_ACCOUNTS, READ_LISTS];
    const via = (["index", "index", "lease", "strong"] as const)[random.below(4)]!;
    this.#read(client, kinds[random.below(kinds.length)]!, via, rest);
  }

  #put(client: number, key: string, rest: Rest): void {
    const value = this.#nextId;
    const handle = this.records.registers.call(client, key, { kind: "put", value });
    const { padBytes } = this.#cluster.options;
    this.#write((id) => putCommand(id, key, value, padBytes), `c${client} put ${key} ${value}`, {
      ...rest,
      ok: () => this.records.registers.ok(handle, true),
      end: (outcome) => this.records.registers[outcome](handle),
    });
  }

  #cas(client: number, key: string, rest: Rest): void {
    const value = this.#nextId;
    const expected = this.records.lastSeen(key);
    const input = { kind: "cas", expected, value } as const;
    const handle = this.records.registers.call(client, key, input);
    this.#write((id) => casCommand(id, key, expected, value), `c${client} cas ${key} ${value}`, {
      ...rest,
      ok: ([first]) => this.records.registers.ok(handle, (first?.rows_affected ?? 0) > 0),
      end: (outcome) => this.records.registers[outcome](handle),
    });
  }

  #append(client: number, key: string, read: string, rest: Rest): void {
    const value = this.#nextId;
    const handle = this.records.callList(client, [
      { kind: "append", key, value },
      { kind: "read", key: read, values: undefined },
    ]);
    this.#write((id) => appendCommand(id, key, read), `c${client} append ${key} ${value}`, {
      ...rest,
      ok: ([, second]) => this.records.okList(handle, second?.values ?? []),
      end: (outcome) => this.records.endList(handle, outcome),
    });
  }

  #read(client: number, sql: string, via: "index" | "lease" | "strong", rest: Rest): void {
    const { ok, end } = this.records.callRead(client, sql);
    const text = `c${client} ${via} read`;
    if (via === "strong") {
      const judge = ([first]: readonly Answer[]): void => ok(first?.values ?? []);
      return this.#write(strongRead(sql), text, { ...rest, isWrite: false, ok: judge, end });
    }
    const node = this.#choose(rest.anywhere);
    const id = this.#begin(text, { ...rest, ok: ([first]) => ok(first?.values ?? []), end });
    if (node?.replica === undefined) return this.#failed(id, "no node");
    this.#reads.set(id, { called: this.#cluster.ledger.readCalled(), sql });
    node.replica.read(id, via);
  }

  #write(
    command: Command | ((id: number) => Command),
    text: string,
    rest: Rest & Pick<Open, "ok" | "end">,
  ): void {
    const { parts, clock } = this.#cluster;
    const node = this.#choose(rest.anywhere);
    const id = this.#begin(text, rest);
    if (rest.isWrite) this.#writes.add(id);
    if (node?.replica === undefined) return this.#failed(id, "no node");
    const payload = parts.sqlite.encodeCommand(
      typeof command === "function" ? command(id) : command,
    );
    const sealed = { timeMs: clock.wallTime(), seed: BigInt(id) };
    node.replica.propose(id, parts.replica.encodeEntry("command", payload, sealed));
  }

  /** The leader that some node knows of, or any node. */
  #choose(anywhere: number): RealNode | undefined {
    const { nodes } = this.#cluster;
    const node = nodes[anywhere % nodes.length];
    if (anywhere < ANYWHERE_PERCENT) return node;
    const { leader = 0 } = (node?.status() ?? this.#cluster.leader()?.status()) || {};
    return this.#cluster.node(leader) ?? this.#cluster.leader();
  }

  #begin(text: string, { ok, end, next }: Pick<Open, "ok" | "end" | "next">): number {
    const { clock, options, ledger } = this.#cluster;
    const id = this.#nextId;
    this.#nextId += 1;
    const cancel = clock.after(options.clientTimeoutMs, () => {
      this.#finish(id, "unknown", () => end("unknown"));
    });
    const readCalledAt = ledger.readCalled();
    this.#open.set(id, { id, text, readCalledAt, sql: undefined, ok, end, cancel, next });
    return id;
  }

  #finish(id: number, how: "ok" | "failed" | "unknown", tell: (open: Open) => void): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    open.cancel();
    this.counts[how] += 1;
    this.#cluster.note(`${open.text}: ${how}`);
    tell(open);
    open.next();
  }

  #failed(id: number, _why: string): void {
    this.#finish(id, "failed", ({ end }) => end("failed"));
  }

  /* ---- answers ---- */

  onResult(node: RealNode, id: number, index: number, result: Bytes): void {
    this.#cluster.ledger.acknowledged(node.number, id, index);
    const answers = JSON.parse(new TextDecoder().decode(result)) as readonly Answer[];
    const error = answers.find((answer) => answer.error !== undefined)?.error;
    if (this.#writes.has(id)) (error === undefined ? this.acknowledged : this.refused).add(id);
    if (error !== undefined && !/CHECK constraint failed/.test(error)) {
      const text = `answers ${this.#open.get(id)?.text ?? id} with: ${error}`;
      this.#cluster.fail(brokenInvariant("G10", node.number, text));
    }
    this.#finish(id, "ok", ({ ok }) => ok(answers));
  }

  onFailure(node: RealNode, id: number, failure: ProposalFailure): void {
    this.#cluster.ledger.refused(node.number, id);
    if (this.#writes.has(id)) this.refused.add(id);
    this.#failed(id, failure);
  }

  onRead(node: RealNode, id: number, outcome: ReadOutcome): void {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    if (read === undefined) return;
    if (!outcome.ok) return this.#failed(id, outcome.reason);
    const { ledger, clock } = this.#cluster;
    ledger.readReturned(node.number, read.called, outcome.index);
    const values = this.#query(node, read.sql);
    if (outcome.leaseUntil !== undefined && clock.now() >= outcome.leaseUntil) {
      return this.#failed(id, "late");
    }
    this.#finish(id, "ok", ({ ok }) => ok([{ values }]));
  }

  #query(node: RealNode, sql: string): Rows {
    try {
      return plainRows(node.machine?.query(sql) ?? []);
    } catch (error) {
      this.#cluster.fail(brokenInvariant("G10", node.number, `cannot read: ${errorText(error)}`));
      return [];
    }
  }
}

interface Rest {
  readonly next: () => void;
  readonly anywhere: number;
  readonly isWrite: boolean;
}

/** Rows as JSON shows them; the numbers here are small. */
export function plainRows(rows: readonly (readonly SqlValue[])[]): Rows {
  return rows.map((row) =>
    row.map((value) => {
      if (typeof value === "bigint") return Number(value);
      return typeof value === "string" || typeof value === "number" ? value : null;
    }),
  );
}
