/**
 * The tokens of SQL text, cut exactly where SQLite cuts them.
 *
 * Only what splitting, counting of parameters and re-quoting need: where a token ends and what kind
 * it is. Invariant: every character belongs to exactly one token, so a `;` inside a string, a
 * quoted name or a comment is never taken for the end of a statement.
 * Chapter: 09-sqlite.
 */

/**
 * Kinds of tokens. Small numbers, because {@link tokenAt} packs one into the low bits of its
 * answer.
 */
export const TokenKind = {
  space: 0,
  comment: 1,
  word: 2,
  string: 3,
  doubleQuoted: 4,
  quotedName: 5,
  semicolon: 6,
  parameter: 7,
  number: 8,
  other: 9,
} as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

/**
 * 4 bits hold every kind, and a packed position stays a small integer for texts of up to 128 MiB.
 */
const KIND_BITS = 4;
const KIND_MASK = (1 << KIND_BITS) - 1;

const TAB = 9;
const NEWLINE = 10;
const FORM_FEED = 12;
const RETURN = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const SINGLE_QUOTE = 39;
const STAR = 42;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const SEMICOLON = 59;
const QUESTION = 63;
const AT = 64;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const UNDERSCORE = 95;
const BACKTICK = 96;
const FIRST_NON_ASCII = 128;

const isSpace = (code: number): boolean =>
  code === SPACE || code === NEWLINE || code === RETURN || code === TAB || code === FORM_FEED;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

const isNameStart = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  code === UNDERSCORE ||
  code >= FIRST_NON_ASCII;

const isNamePart = (code: number): boolean => isNameStart(code) || isDigit(code) || code === DOLLAR;

/**
 * Cuts the token that begins at `from`.
 *
 * @returns kind and end in one number; see {@link tokenKind} and {@link tokenEnd}.
 */
export function tokenAt(sql: string, from: number): number {
  const code = sql.charCodeAt(from);
  if (isNameStart(code)) return pack(TokenKind.word, wordEnd(sql, from));
  if (isSpace(code)) return pack(TokenKind.space, spaceEnd(sql, from));
  switch (code) {
    case SINGLE_QUOTE:
      return pack(TokenKind.string, quotedEnd(sql, from, "'"));
    case DOUBLE_QUOTE:
      return pack(TokenKind.doubleQuoted, quotedEnd(sql, from, '"'));
    case BACKTICK:
      return pack(TokenKind.quotedName, quotedEnd(sql, from, "`"));
    case OPEN_BRACKET: {
      const close = sql.indexOf(String.fromCharCode(CLOSE_BRACKET), from);
      return pack(TokenKind.quotedName, close < 0 ? sql.length : close + 1);
    }
    case SEMICOLON:
      return pack(TokenKind.semicolon, from + 1);
    case MINUS:
      return sql.charCodeAt(from + 1) === MINUS
        ? pack(TokenKind.comment, lineEnd(sql, from))
        : pack(TokenKind.other, from + 1);
    case SLASH:
      // SQLite takes a bare "/*" at the very end for a slash and a star.
      return sql.charCodeAt(from + 1) === STAR && from + 2 < sql.length
        ? pack(TokenKind.comment, blockCommentEnd(sql, from))
        : pack(TokenKind.other, from + 1);
    case QUESTION:
      return pack(TokenKind.parameter, digitsEnd(sql, from + 1));
    case COLON:
    case AT:
    case DOLLAR:
    case HASH: {
      const end = wordEnd(sql, from);
      return pack(end > from + 1 ? TokenKind.parameter : TokenKind.other, end);
    }
  }
  if (isDigit(code) || (code === DOT && isDigit(sql.charCodeAt(from + 1)))) {
    return pack(TokenKind.number, numberEnd(sql, from));
  }
  return pack(TokenKind.other, from + 1);
}

/** The kind in a packed token. */
export function tokenKind(token: number): number {
  return token & KIND_MASK;
}

/** The position after the last character of a packed token. */
export function tokenEnd(token: number): number {
  return token >>> KIND_BITS;
}

/** The name or text inside a quoted token, or the word itself. */
export function unquote(token: string): string {
  const quote = token.charAt(0);
  if (quote === "[") return token.slice(1, -1);
  if (quote !== '"' && quote !== "'" && quote !== "`") return token;
  return token.slice(1, -1).replaceAll(quote + quote, quote);
}

function pack(kind: TokenKind, end: number): number {
  return (end << KIND_BITS) | kind;
}

function wordEnd(sql: string, from: number): number {
  let at = from + 1;
  while (at < sql.length && isNamePart(sql.charCodeAt(at))) at += 1;
  return at;
}

function spaceEnd(sql: string, from: number): number {
  let at = from + 1;
  while (at < sql.length && isSpace(sql.charCodeAt(at))) at += 1;
  return at;
}

function digitsEnd(sql: string, from: number): number {
  let at = from;
  while (at < sql.length && isDigit(sql.charCodeAt(at))) at += 1;
  return at;
}

function numberEnd(sql: string, from: number): number {
  let at = from;
  while (at < sql.length) {
    const code = sql.charCodeAt(at);
    const signed = (code === MINUS || code === 43) && isExponent(sql, at);
    if (!isNamePart(code) && code !== DOT && !signed) break;
    at += 1;
  }
  return at;
}

/** Whether the sign at `at` belongs to an exponent: `1e-3`, but not `0x1e-3`. */
function isExponent(sql: string, at: number): boolean {
  const before = sql.charCodeAt(at - 1);
  if (before !== 101 && before !== 69) return false;
  let start = at - 2;
  while (start >= 0 && (isDigit(sql.charCodeAt(start)) || sql.charCodeAt(start) === DOT))
    start -= 1;
  const edge = start < 0 ? SPACE : sql.charCodeAt(start);
  return !isNamePart(edge);
}

function quotedEnd(sql: string, from: number, quote: string): number {
  let at = from + 1;
  for (;;) {
    const close = sql.indexOf(quote, at);
    if (close < 0) return sql.length;
    if (sql.charAt(close + 1) !== quote) return close + 1;
    at = close + 2;
  }
}

function lineEnd(sql: string, from: number): number {
  const end = sql.indexOf("\n", from);
  return end < 0 ? sql.length : end;
}

function blockCommentEnd(sql: string, from: number): number {
  const end = sql.indexOf("*/", from + 2);
  return end < 0 ? sql.length : end + 2;
}
