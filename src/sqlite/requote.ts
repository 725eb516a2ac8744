/**
 * Double-quoted strings, for a SQLite that refuses them.
 *
 * SQLite's default, and so rqlite, take `"abc"` for a string where no such column is; our build of
 * it does not. It says so when it prepares a statement, and then exactly the tokens that do not
 * resolve become `'abc'`. Invariant: a token that names a column stays a name (SQLite's rule: names
 * first), and headings read as they were written.
 * Chapter: 09-sqlite.
 */
import { TokenKind, tokenAt, tokenEnd, tokenKind, unquote } from "./tokens.ts";

/** SQLite's words when a double-quoted token is no column. */
const HINT = /^no such column: "([\s\S]*)" - should this be a string literal in single-quotes\?$/;

/** Up to so many equal tokens each gets a trial of its own; beyond, all are taken for strings. */
const TRIALS_MAX = 16;

/** A text and the places in it that were re-quoted. */
export interface Requoted {
  readonly text: string;
  /** Where re-quoted tokens begin in `text`, ascending, and how they were written. */
  readonly places: readonly { readonly at: number; readonly end: number; readonly was: string }[];
}

interface Token {
  readonly from: number;
  readonly end: number;
  readonly name: string;
}

/** Prepares a text: undefined if SQLite takes it, else its message. */
export type Trial = (text: string) => string | undefined;

/** The name that SQLite complains about, if `message` is that complaint. */
export function complainedName(message: string): string | undefined {
  return HINT.exec(message)?.[1];
}

/**
 * Re-quotes what SQLite does not know as a name.
 *
 * @param message - what SQLite said of `text`.
 * @param trial - prepares a changed text.
 * @returns the text to run, or undefined if re-quoting does not help.
 */
export function requote(text: string, message: string, trial: Trial): Requoted | undefined {
  const tokens = doubleQuotedTokens(text);
  const chosen = new Set<Token>();
  let complaint: string | undefined = message;
  while (complaint !== undefined) {
    const name = complainedName(complaint);
    if (name === undefined) break;
    const open = tokens.filter((token) => token.name === name && !chosen.has(token));
    if (open.length === 0) break;
    const whole = chosen.size === 0 ? valuesTokens(text, tokens) : [];
    const found = whole.includes(open[0]!) ? whole : unresolved(text, chosen, open, name, trial);
    for (const token of found) chosen.add(token);
    if (found.length === 0) break;
    complaint = trial(replaced(text, chosen).text);
  }
  return chosen.size === 0 ? undefined : replaced(text, chosen);
}

/** Headings as SQLite would have given them for the text as it was written. */
export function restoreHeadings(headings: readonly string[], requoted: Requoted): string[] {
  let from = 0;
  return headings.map((heading) => {
    if (!heading.includes("'")) return heading;
    const at = requoted.text.indexOf(heading, from);
    if (at < 0) return heading;
    const end = at + heading.length;
    from = end;
    let restored = "";
    let copied = at;
    for (const place of requoted.places) {
      if (place.at < at || place.end > end) continue;
      restored += requoted.text.slice(copied, place.at) + place.was;
      copied = place.end;
    }
    return restored + requoted.text.slice(copied, end);
  });
}

/**
 * Of equal tokens, those that do not resolve: each is left alone while all others become strings.
 */
function unresolved(
  text: string,
  chosen: ReadonlySet<Token>,
  open: readonly Token[],
  name: string,
  trial: Trial,
): readonly Token[] {
  if (open.length === 1 || open.length > TRIALS_MAX) return open;
  const found = open.filter((token) => {
    const others = new Set([...chosen, ...open.filter((other) => other !== token)]);
    const answer = trial(replaced(text, others).text);
    return answer !== undefined && complainedName(answer) === name;
  });
  return found.length === 0 ? open : found;
}

/** In `INSERT … VALUES` without a SELECT no expression can name a column: all tokens at once. */
function valuesTokens(text: string, tokens: readonly Token[]): readonly Token[] {
  if (!/^\s*(insert|replace)\b/i.test(text)) return [];
  let valuesAt = -1;
  let before = text.length;
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    const end = tokenEnd(token);
    if (tokenKind(token) === TokenKind.word) {
      const word = text.slice(at, end).toUpperCase();
      if (word === "SELECT") return [];
      if (word === "VALUES" && valuesAt < 0) valuesAt = end;
      if ((word === "ON" || word === "RETURNING") && valuesAt >= 0) before = Math.min(before, at);
    }
    at = end;
  }
  if (valuesAt < 0) return [];
  return tokens.filter((token) => token.from >= valuesAt && token.end <= before);
}

function doubleQuotedTokens(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at);
    const end = tokenEnd(token);
    if (tokenKind(token) === TokenKind.doubleQuoted) {
      tokens.push({ from: at, end, name: unquote(text.slice(at, end)) });
    }
    at = end;
  }
  return tokens;
}

function replaced(text: string, chosen: ReadonlySet<Token>): Requoted {
  const tokens = [...chosen].sort((a, b) => a.from - b.from);
  const places: { at: number; end: number; was: string }[] = [];
  let out = "";
  let copied = 0;
  for (const token of tokens) {
    out += text.slice(copied, token.from);
    const at = out.length;
    out += `'${token.name.replaceAll("'", "''")}'`;
    places.push({ at, end: out.length, was: text.slice(token.from, token.end) });
    copied = token.end;
  }
  return { text: out + text.slice(copied), places };
}
