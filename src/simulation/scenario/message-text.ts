/**
 * Messages as words, the same in traces and in forged messages: `append term=2 prev=3/1
 * entries=x@2,y@2 commit=3`.
 *
 * `3/1` is the entry at index 3 with term 1; `x@2` is the entry named x of term 2, `noop@2` the one
 * that opens a term, `{1,2,3}@2` a configuration. Numbers that only tell one message from its
 * copies (round, session, attempt, request, free bytes) are left out unless asked for.
 * Chapter: 11-simulation.
 */
import type { ConfigurationRecord, Message, TermRun, VoterSets } from "#raft/types";

/** Fields that a trace leaves out unless `show` asks for them. */
export const QUIET_FIELDS = ["attempt", "free", "request", "round", "session", "copy"] as const;
export type QuietField = (typeof QUIET_FIELDS)[number];

/** More entries than this are shown by their first and last index only. */
const ENTRIES_SHOWN_MAX = 6;

/** What a message looks like, besides what it says itself. */
export interface MessageNames {
  /** Names of the entries that an append carries, in order. */
  readonly entries: readonly string[];
  readonly show: ReadonlySet<QuietField>;
}

/** The sets of a configuration in one word: voters, `|` outgoing, `+` learners. */
export function setsText({ voters, outgoing, learners }: VoterSets): string {
  const joint = outgoing.length > 0 ? `|${outgoing.join(",")}` : "";
  const more = learners.length > 0 ? `+${learners.join(",")}` : "";
  return `{${voters.join(",")}${joint}${more}}`;
}

/** The other way round; undefined for what is no set. */
export function setsOf(text: string): VoterSets | undefined {
  const match = /^\{([\d,]*)(?:\|([\d,]+))?(?:\+([\d,]+))?\}$/.exec(text);
  if (match === null) return undefined;
  const list = (part: string | undefined): number[] =>
    part === undefined || part === "" ? [] : part.split(",").map(Number);
  return { voters: list(match[1]), outgoing: list(match[2]), learners: list(match[3]) };
}

function termAt(runs: readonly TermRun[], index: number): number {
  return runs.findLast((run) => run.first <= index)?.term ?? 0;
}

/** Entries as words: each with its term, or first and last if they are many. */
export function entriesText(
  from: number,
  names: readonly string[],
  runs: readonly TermRun[],
): string {
  const word = (i: number): string => `${names[i]}@${termAt(runs, from + i)}`;
  if (names.length <= ENTRIES_SHOWN_MAX) return names.map((_, i) => word(i)).join(",");
  const last = names.length - 1;
  return `${word(0)}..${word(last)} (${names.length})`;
}

/** A message in one line. */
export function messageText(message: Message, { entries, show }: MessageNames): string {
  const words: string[] = [];
  const quiet = (field: QuietField, value: number): void => {
    if (show.has(field)) words.push(`${field}=${value}`);
  };
  const { kind } = message;
  words.push(nameOf(message), `term=${message.term}`);
  switch (kind) {
    case "vote":
      words.push(`last=${message.lastIndex}/${message.lastTerm}`);
      if (message.transfer) words.push("transfer=yes");
      quiet("attempt", message.attempt);
      break;
    case "voteReply":
      words.push(`granted=${message.granted ? "yes" : "no"}`);
      if (message.removedAt > 0) words.push(`removedAt=${message.removedAt}`);
      quiet("attempt", message.attempt);
      break;
    case "append":
      words.push(`prev=${message.prevIndex}/${message.prevTerm}`);
      if (entries.length > 0) {
        words.push(`entries=${entriesText(message.prevIndex + 1, entries, message.runs)}`);
      }
      words.push(`commit=${message.commit}`);
      quiet("session", message.session);
      quiet("round", message.round);
      break;
    case "appendReply":
      if (message.ok) words.push(`match=${message.match}`);
      else
        words.push(`rejected=${message.rejected}`, `hint=${message.hintIndex}/${message.hintTerm}`);
      quiet("session", message.session);
      quiet("round", message.round);
      quiet("free", message.freeBytes);
      break;
    case "snapshot":
      words.push(`at=${message.index}/${message.indexTerm}`, setsText(message.configuration.sets));
      words.push(`offset=${message.offset}`, `bytes=${message.bytes}`);
      words.push(`total=${message.totalBytes}`);
      quiet("session", message.session);
      quiet("copy", message.copy);
      break;
    case "snapshotReply":
      words.push(`at=${message.index}`, `next=${message.nextOffset}`);
      quiet("session", message.session);
      quiet("copy", message.copy);
      break;
    case "read":
      quiet("request", message.request);
      break;
    case "readReply":
      words.push(`index=${message.index}`);
      quiet("request", message.request);
      break;
    case "timeoutNow":
      break;
  }
  return words.join(" ");
}

/** The word for a kind. Pre-votes have their own: they mean something else. */
export function nameOf(message: Message): MessageName {
  if (message.kind === "vote") return message.pre ? "prevote" : "vote";
  if (message.kind === "voteReply") return message.pre ? "prevoteReply" : "voteReply";
  if (message.kind === "append" && message.sizes.length === 0) return "heartbeat";
  return message.kind;
}

/** Words for kinds, in commands and traces. A heartbeat is an append without entries. */
export const MESSAGE_NAMES = [
  "prevote",
  "prevoteReply",
  "vote",
  "voteReply",
  "append",
  "heartbeat",
  "appendReply",
  "timeoutNow",
  "snapshot",
  "snapshotReply",
  "read",
  "readReply",
] as const;
export type MessageName = (typeof MESSAGE_NAMES)[number];

/** An entry as a forged append names it. */
export interface NamedEntry {
  readonly name: string;
  readonly term: number;
  readonly sets: VoterSets | undefined;
}

/** Splits `x@2,{1,2}@3` into entries; undefined when it is no such list. */
export function entriesOf(text: string): NamedEntry[] | undefined {
  const entries: NamedEntry[] = [];
  for (const part of text.match(/(\{[^}]*\}|[^,{])+/g) ?? []) {
    const match = /^(.+)@(\d+)$/.exec(part);
    if (match === null) return undefined;
    const name = match[1]!;
    entries.push({ name, term: Number(match[2]), sets: setsOf(name) });
  }
  return entries;
}

/** Terms of entries as runs. */
export function runsOf(terms: readonly number[], from: number): TermRun[] {
  const runs: TermRun[] = [];
  for (const [i, term] of terms.entries()) {
    if (runs.at(-1)?.term !== term) runs.push({ first: from + i, term });
  }
  return runs;
}

/** The configurations among entries. */
export function configurationsOf(
  entries: readonly NamedEntry[],
  from: number,
): ConfigurationRecord[] {
  return entries.flatMap(({ sets }, i) => (sets === undefined ? [] : [{ index: from + i, sets }]));
}
