/**
 * Reads JSON text token by token, without losing what numbers were written as.
 *
 * `JSON.parse` cannot tell `1` from `1.0` and rounds integers above 2^53, and SQLite must see both
 * differences. Invariant: the scanner never recurses, so no nesting of brackets can exhaust the
 * stack; whatever is not JSON is refused with the reference's text.
 */
import { CairnError } from "#base";

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;

/** The characters that a grammar above this file looks for. NaN is the end of the text. */
export const Mark = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openArray: 0x5b,
  closeArray: 0x5d,
  f: 0x66,
  n: 0x6e,
  t: 0x74,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** Deeper is refused, as the reference's decoder does. */
export const DEPTH_MAX = 10_000;

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** A place in a JSON text that moves forward. Every method throws `SERVER_REQUEST_INVALID`. */
export interface JsonScanner {
  /** The next character that is no blank, as a code unit, without passing it; NaN at the end. */
  peek(): number;
  /** Passes the next character if it is this one. */
  accept(mark: number): boolean;
  /** Passes the next character, which must be this one. */
  expect(mark: number): void;
  /** Reads the string that comes next. */
  string(): string;
  /** Reads the number that comes next, as it is written. */
  number(): string;
  /** Passes `true`, `false` or `null`. */
  word(text: "true" | "false" | "null"): void;
  /** Passes one value of any kind. */
  skipValue(): void;
}

/** Starts at the beginning of a text. */
export function scanJson(text: string): JsonScanner {
  return new Scanner(text);
}

/** The refusal of everything that is not JSON. */
export function malformed(): never {
  throw new CairnError("SERVER_REQUEST_INVALID", "invalid JSON body");
}

class Scanner implements JsonScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code > SPACE || Number.isNaN(code)) return code;
      const blank =
        code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB;
      if (!blank) return malformed();
      this.#at += 1;
    }
  }

  accept(mark: number): boolean {
    if (this.peek() !== mark) return false;
    this.#at += 1;
    return true;
  }

  expect(mark: number): void {
    if (!this.accept(mark)) malformed();
  }

  string(): string {
    this.expect(Mark.quote);
    const text = this.#text;
    const from = this.#at;
    for (let at = from; ; at += 1) {
      const code = text.charCodeAt(at);
      if (code === Mark.quote) {
        this.#at = at + 1;
        return text.slice(from, at);
      }
      if (code === BACKSLASH) return this.#escapedString(from, at);
      // Control characters and the end of the text (NaN compares false) are both refused.
      if (!(code >= SPACE)) return malformed();
    }
  }

  number(): string {
    this.peek();
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null) return malformed();
    this.#at = NUMBER.lastIndex;
    return found[0];
  }

  word(text: "true" | "false" | "null"): void {
    this.peek();
    if (!this.#text.startsWith(text, this.#at)) malformed();
    this.#at += text.length;
  }

  skipValue(): void {
    /** The brackets that are open, as the characters that will close them. */
    const open: number[] = [];
    for (;;) {
      const closer = this.#openOrPass();
      if (closer === Mark.closeObject) this.#key();
      if (closer !== undefined) {
        if (open.push(closer) > DEPTH_MAX) malformed();
        continue;
      }
      if (!this.#nextItem(open)) return;
    }
  }

  /** Passes a scalar, an empty pair of brackets, or an opening one: then says what closes it. */
  #openOrPass(): number | undefined {
    switch (this.peek()) {
      case Mark.openArray:
        this.#at += 1;
        return this.accept(Mark.closeArray) ? undefined : Mark.closeArray;
      case Mark.openObject:
        this.#at += 1;
        return this.accept(Mark.closeObject) ? undefined : Mark.closeObject;
      case Mark.quote:
        this.string();
        return undefined;
      case Mark.t:
        this.word("true");
        return undefined;
      case Mark.f:
        this.word("false");
        return undefined;
      case Mark.n:
        this.word("null");
        return undefined;
      default:
        this.number();
        return undefined;
    }
  }

  /** After a value: passes closing brackets and a comma. False when the outermost value is over. */
  #nextItem(open: number[]): boolean {
    for (;;) {
      const closer = open.at(-1);
      if (closer === undefined) return false;
      if (this.accept(Mark.comma)) {
        if (closer === Mark.closeObject) this.#key();
        return true;
      }
      this.expect(closer);
      open.pop();
    }
  }

  #key(): void {
    this.string();
    this.expect(Mark.colon);
  }

  /** The rare string with a backslash: found whole here, decoded by the engine. */
  #escapedString(from: number, firstBackslash: number): string {
    const text = this.#text;
    let at = firstBackslash;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === Mark.quote) break;
      if (!(code >= SPACE)) return malformed();
      at += code === BACKSLASH ? 2 : 1;
    }
    this.#at = at + 1;
    try {
      return String(JSON.parse(text.slice(from - 1, at + 1)));
    } catch (error) {
      // Only a wrong escape is left as a reason.
      if (error instanceof SyntaxError) return malformed();
      throw error;
    }
  }
}
