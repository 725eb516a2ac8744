/**
 * What the key-value store should be, as simply as it can be said: a Map, and a list of sessions.
 * Support for the tests.
 */
import type {
  KvAnswer,
  KvCommand,
  KvCondition,
  KvEntry,
  KvFound,
  KvOperation,
  KvRange,
  KvRelation,
  KvTransaction,
} from "#replica";

/** Bytes as text in the order of bytes. */
export const t = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
/** Text as bytes. */
export const b = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** Limits of sessions, small enough for tests to meet. */
export const LIMITS = { sessionIdleMs: 10_000, sessionsMax: 3, sessionBytesMax: 300 } as const;

interface Session {
  readonly id: number;
  serial: number;
  answer: KvAnswer | null;
  bytes: number;
  usedTimeMs: number;
}

interface Stored {
  readonly value: string;
  readonly revision: number;
}

/** See the file's header. `sizeOf` says how large an answer is when it is kept. */
export class KvModel {
  data = new Map<string, Stored>();
  /** The one unused for longest comes first. */
  sessions: Session[] = [];
  #timeMs = 0;
  readonly #sizeOf: (answer: KvAnswer) => number;

  constructor(sizeOf: (answer: KvAnswer) => number) {
    this.#sizeOf = sizeOf;
  }

  apply(index: number, timeMs: number, command: KvCommand): KvAnswer {
    this.#timeMs = Math.max(this.#timeMs, timeMs);
    const idle = LIMITS.sessionIdleMs;
    this.sessions = this.sessions.filter((one) => one.usedTimeMs + idle >= this.#timeMs);
    switch (command.kind) {
      case "openSession":
        this.sessions.push({
          id: index,
          serial: 0,
          answer: null,
          bytes: 0,
          usedTimeMs: this.#timeMs,
        });
        this.#evict(index);
        return { kind: "session", session: index };
      case "closeSession":
        this.sessions = this.sessions.filter(({ id }) => id !== command.session);
        return { kind: "session", session: command.session };
      case "transaction":
        return this.#once(index, command);
    }
  }

  #once(index: number, { once, transaction }: Extract<KvCommand, { kind: "transaction" }>) {
    if (once === null) return this.#run(index, transaction);
    const session = this.sessions.find(({ id }) => id === once.session);
    if (session === undefined) return refused("session-unknown");
    this.sessions = [...this.sessions.filter((one) => one !== session), session];
    session.usedTimeMs = this.#timeMs;
    if (once.serial === session.serial && session.answer !== null) return session.answer;
    if (once.serial <= session.serial) return refused("serial-passed");
    session.serial = once.serial;
    session.answer = this.#run(index, transaction);
    session.bytes = this.#sizeOf(session.answer);
    this.#evict(session.id);
    return session.answer;
  }

  #evict(served: number): void {
    const isOver = (): boolean =>
      this.sessions.length > LIMITS.sessionsMax ||
      this.sessions.reduce((sum, { bytes }) => sum + bytes, 0) > LIMITS.sessionBytesMax;
    while (isOver()) {
      const oldest = this.sessions.find(({ id }) => id !== served);
      if (oldest === undefined) return;
      this.sessions = this.sessions.filter((one) => one !== oldest);
    }
  }

  #run(index: number, { conditions, success, failure }: KvTransaction): KvAnswer {
    const held = conditions.every((condition) => this.#holds(condition));
    const found = (held ? success : failure).map((operation) => this.#operate(index, operation));
    return { kind: "transaction", held, revision: index, found };
  }

  #holds(condition: KvCondition): boolean {
    const stored = this.data.get(t(condition.key));
    if (condition.target === "revision") {
      return related(condition.is, stored?.revision ?? 0, condition.revision);
    }
    if (stored === undefined) return condition.is === "unequal";
    return related(condition.is, stored.value, t(condition.value));
  }

  #operate(revision: number, operation: KvOperation): KvFound {
    switch (operation.kind) {
      case "put": {
        const previousRevision = this.data.get(t(operation.key))?.revision ?? 0;
        this.data.set(t(operation.key), { value: t(operation.value), revision });
        return { kind: "put", previousRevision };
      }
      case "delete":
        return { kind: "deleted", count: this.data.delete(t(operation.key)) ? 1 : 0, more: false };
      case "deleteRange": {
        const { entries, more } = this.range(operation);
        for (const { key } of entries) this.data.delete(t(key));
        return { kind: "deleted", count: entries.length, more };
      }
      case "get":
        return { kind: "got", entry: this.get(operation.key) };
      case "range":
        return { kind: "entries", ...this.range(operation) };
    }
  }

  get(key: Uint8Array): KvEntry | null {
    const stored = this.data.get(t(key));
    if (stored === undefined) return null;
    return { key, value: b(stored.value), revision: stored.revision };
  }

  range({ from, before, limit }: KvRange): { entries: KvEntry[]; more: boolean } {
    const inside = [...this.data.keys()]
      .filter((key) => key >= t(from) && (before === null || key < t(before)))
      .sort();
    const entries = inside.slice(0, limit).map((key) => this.get(b(key))!);
    return { entries, more: inside.length > limit };
  }
}

function refused(refusal: "session-unknown" | "serial-passed"): KvAnswer {
  return { kind: "refused", refusal };
}

function related<T>(relation: KvRelation, found: T, given: T): boolean {
  switch (relation) {
    case "equal":
      return found === given;
    case "unequal":
      return found !== given;
    case "less":
      return found < given;
    case "greater":
      return found > given;
  }
}
