/**
 * Client sessions: who has sent which command last, and what it was answered.
 *
 * They are part of the state: every replica keeps the same ones, and forgets them at the same
 * entries. A session is opened through the log and numbered by its entry; a command of a session
 * that is not known is refused, never run, because nobody can tell any more whether it was run
 * before. Invariant (K1): of one session, each serial takes effect at most once, and in order.
 * Chapter: 08-replica. Source: Ongaro, "Consensus: Bridging Theory and Practice" (2014), 6.3.
 */
import type { Bytes, Ms } from "#base";
import type { Index } from "#raft/types";
import type { SessionRow } from "./layout.ts";
import { SESSION_BYTES_MAX, SESSION_IDLE_MS, SESSIONS_MAX } from "./limits.ts";
import type { KvOptions, KvSerial } from "./types.ts";

/** What is to be done with a command of a session. */
export type Recognition =
  | { readonly kind: "new" }
  | { readonly kind: "repeated"; readonly answer: Bytes }
  | { readonly kind: "unknown" }
  | { readonly kind: "passed" };

/** Where an entry is, and what time the log has come to. */
export interface LogMoment {
  readonly index: Index;
  readonly timeMs: number;
}

/** The sessions of one state, and which of them are to be written and removed. */
export interface Sessions {
  readonly count: number;
  /** Bytes of kept answers. */
  readonly bytes: number;
  /** Forgets those that nobody has used for too long. Before every command. */
  expire(timeMs: number): void;
  /** Opens the session that the entry of this moment asks for. */
  open(moment: LogMoment): void;
  close(session: Index): void;
  /** Looks a command up, and counts the session as used. */
  recognise(once: KvSerial, moment: LogMoment): Recognition;
  /** Keeps the answer of a new command. */
  answered(once: KvSerial, answer: Bytes): void;
  /** What has changed since the last call; undefined: removed. */
  takeChanges(): Map<Index, SessionRow | undefined>;
}

/** Limits of sessions; the same on every replica. */
export interface SessionLimits {
  readonly idleMs: Ms;
  readonly countMax: number;
  readonly bytesMax: number;
}

export function sessionLimits(options: KvOptions): SessionLimits {
  return {
    idleMs: options.sessionIdleMs ?? SESSION_IDLE_MS,
    countMax: options.sessionsMax ?? SESSIONS_MAX,
    bytesMax: options.sessionBytesMax ?? SESSION_BYTES_MAX,
  };
}

/** @param rows - in any order. */
export function createSessions(rows: Iterable<SessionRow>, limits: SessionLimits): Sessions {
  return new SessionTable(rows, limits);
}

class SessionTable implements Sessions {
  readonly #limits: SessionLimits;
  /** In the order of their last use: a Map keeps the order of insertion. */
  readonly #rows = new Map<Index, SessionRow>();
  #changes = new Map<Index, SessionRow | undefined>();
  bytes = 0;

  constructor(rows: Iterable<SessionRow>, limits: SessionLimits) {
    this.#limits = limits;
    for (const row of [...rows].sort((a, b) => a.usedIndex - b.usedIndex)) {
      this.#rows.set(row.session, row);
      this.bytes += row.answer.length;
    }
  }

  get count(): number {
    return this.#rows.size;
  }

  expire(timeMs: number): void {
    for (const row of this.#rows.values()) {
      if (row.usedTimeMs + this.#limits.idleMs >= timeMs) return;
      this.close(row.session);
    }
  }

  open({ index, timeMs }: LogMoment): void {
    const nothing = { serial: 0, answer: new Uint8Array(0) };
    this.#use({ session: index, usedIndex: index, usedTimeMs: timeMs, ...nothing });
    this.#evict(index);
  }

  close(session: Index): void {
    const row = this.#rows.get(session);
    if (row === undefined) return;
    this.#rows.delete(session);
    this.bytes -= row.answer.length;
    this.#changes.set(session, undefined);
  }

  recognise({ session, serial }: KvSerial, { index, timeMs }: LogMoment): Recognition {
    const row = this.#rows.get(session);
    if (row === undefined) return { kind: "unknown" };
    this.#use({ ...row, usedIndex: index, usedTimeMs: timeMs });
    if (serial > row.serial) return { kind: "new" };
    return serial === row.serial ? { kind: "repeated", answer: row.answer } : { kind: "passed" };
  }

  answered({ session, serial }: KvSerial, answer: Bytes): void {
    const row = this.#rows.get(session);
    if (row === undefined) return;
    this.#use({ ...row, serial, answer });
    this.#evict(session);
  }

  takeChanges(): Map<Index, SessionRow | undefined> {
    const changes = this.#changes;
    this.#changes = new Map();
    return changes;
  }

  #use(row: SessionRow): void {
    this.bytes += row.answer.length - (this.#rows.get(row.session)?.answer.length ?? 0);
    this.#rows.delete(row.session);
    this.#rows.set(row.session, row);
    this.#changes.set(row.session, row);
  }

  /** Those unused for longest go, but never the one that is being served. */
  #evict(served: Index): void {
    const { countMax, bytesMax } = this.#limits;
    for (const session of this.#rows.keys()) {
      if (this.#rows.size <= countMax && this.bytes <= bytesMax) return;
      if (session !== served) this.close(session);
    }
  }
}
