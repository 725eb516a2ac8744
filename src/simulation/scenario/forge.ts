/**
 * Forged messages: what a broken or hostile node might say, written as a trace writes it.
 *
 * Invariant: a forged message is well formed; only its claims are false. Chapter: 11-simulation.
 */
import type { Message } from "#raft/types";
import type { Arguments, Pairs } from "./arguments.ts";
import {
  configurationsOf,
  entriesOf,
  MESSAGE_NAMES,
  type MessageName,
  type NamedEntry,
  runsOf,
  setsOf,
} from "./message-text.ts";

/** A message with the entries whose bytes it carries. */
export interface Forged {
  readonly message: Message;
  readonly entries: readonly NamedEntry[];
}

const FIELDS: Readonly<Record<MessageName, readonly string[]>> = {
  prevote: ["last", "attempt"],
  vote: ["last", "transfer", "attempt"],
  prevoteReply: ["granted", "removedAt", "attempt"],
  voteReply: ["granted", "removedAt", "attempt"],
  append: ["prev", "entries", "commit", "session", "round"],
  heartbeat: ["prev", "commit", "session", "round"],
  appendReply: ["match", "rejected", "hint", "session", "round", "free"],
  timeoutNow: [],
  snapshot: ["at", "sets", "setsAt", "offset", "bytes", "total", "session", "copy"],
  snapshotReply: ["at", "next", "session", "copy"],
  read: ["request"],
  readReply: ["index", "request"],
};

/** Bytes of a forged entry. */
export const FORGED_ENTRY_BYTES = 10;

/** A room of bytes that never limits anything. */
const FREE_BYTES = 1 << 30;

/** Reads a kind and its fields. */
export function forge(args: Arguments): Forged {
  const name = args.oneOf(MESSAGE_NAMES);
  const pairs = args.pairs(["term", ...FIELDS[name]]);
  const term = pairs.number("term");
  if (term === undefined) return args.fail("a message has a term=");
  const entries = name === "append" ? namedEntries(pairs) : [];
  return { message: build(name, term, pairs, entries), entries };
}

function namedEntries(pairs: Pairs): NamedEntry[] {
  const text = pairs.text("entries");
  if (text === undefined) return [];
  return entriesOf(text) ?? pairs.fail("entries", "expected entries like x@2,y@2");
}

/** `3/1`: an index and a term. */
function place(pairs: Pairs, name: string): { index: number; term: number } {
  const text = pairs.text(name) ?? "0/0";
  const match = /^(\d+)\/(\d+)$/.exec(text);
  if (match === null) return pairs.fail(name, "expected index/term, like 3/1");
  return { index: Number(match[1]), term: Number(match[2]) };
}

function isYes(pairs: Pairs, name: string): boolean {
  const text = pairs.text(name) ?? "no";
  if (text !== "yes" && text !== "no") pairs.fail(name, "expected yes or no");
  return text === "yes";
}

function build(
  name: MessageName,
  term: number,
  pairs: Pairs,
  entries: readonly NamedEntry[],
): Message {
  const number = (field: string, otherwise = 0): number => pairs.number(field) ?? otherwise;
  const session = number("session");
  const attempt = number("attempt", 1);
  switch (name) {
    case "prevote":
    case "vote": {
      const { index: lastIndex, term: lastTerm } = place(pairs, "last");
      const pre = name === "prevote";
      const transfer = isYes(pairs, "transfer");
      return { kind: "vote", term, lastIndex, lastTerm, pre, transfer, attempt };
    }
    case "prevoteReply":
    case "voteReply": {
      const granted = isYes(pairs, "granted");
      const pre = name === "prevoteReply";
      return { kind: "voteReply", term, granted, pre, attempt, removedAt: number("removedAt") };
    }
    case "append":
    case "heartbeat": {
      const { index: prevIndex, term: prevTerm } = place(pairs, "prev");
      const from = prevIndex + 1;
      const sizes = entries.map(() => FORGED_ENTRY_BYTES);
      const terms = entries.map((entry) => entry.term);
      const runs = runsOf(terms, from);
      const configurations = configurationsOf(entries, from);
      const rest = { commit: number("commit"), session, round: number("round", 1) };
      return { kind: "append", term, prevIndex, prevTerm, sizes, runs, configurations, ...rest };
    }
    case "appendReply": {
      const { index: hintIndex, term: hintTerm } = place(pairs, "hint");
      const ok = pairs.has("match");
      const what = { ok, match: number("match"), rejected: number("rejected") };
      const rest = { session, round: number("round"), freeBytes: number("free", FREE_BYTES) };
      return { kind: "appendReply", term, ...what, hintIndex, hintTerm, ...rest };
    }
    case "timeoutNow":
      return { kind: "timeoutNow", term };
    case "snapshot":
      return snapshotChunk(term, pairs);
    case "snapshotReply":
      return {
        kind: "snapshotReply",
        term,
        session,
        index: number("at"),
        copy: number("copy", 1),
        nextOffset: number("next"),
      };
    case "read":
      return { kind: "read", term, request: number("request", 1) };
    case "readReply":
      return { kind: "readReply", term, request: number("request", 1), index: number("index") };
  }
}

function snapshotChunk(term: number, pairs: Pairs): Message {
  const { index, term: indexTerm } = place(pairs, "at");
  const sets = setsOf(pairs.text("sets") ?? "{1,2,3}");
  if (sets === undefined) return pairs.fail("sets", "expected sets like {1,2,3}");
  const bytes = pairs.number("bytes") ?? FORGED_ENTRY_BYTES;
  return {
    kind: "snapshot",
    term,
    session: pairs.number("session") ?? 0,
    index,
    indexTerm,
    configuration: { index: pairs.number("setsAt") ?? 0, sets },
    copy: pairs.number("copy") ?? 1,
    offset: pairs.number("offset") ?? 0,
    bytes,
    totalBytes: pairs.number("total") ?? bytes,
  };
}
