/**
 * How the runner looks: colours on a terminal, marks beside every colour, plain ASCII on request.
 *
 * Invariant: no meaning is carried by colour alone, and plain text has only ASCII characters and no
 * control sequences.
 */

/** What a piece of text says. */
export type Tone = "good" | "bad" | "waiting" | "quiet" | "strong";

/** How to print. */
export interface Style {
  /** ASCII only. */
  readonly isPlain: boolean;
  /** Puts a colour on a text, if there are colours. */
  paint(tone: Tone, text: string): string;
  /** The last thing done to every text before it is printed. */
  finish(text: string): string;
}

/** Where texts go. */
export interface Output {
  readonly style: Style;
  /** Prints a text and a line break. */
  say(text?: string): void;
}

/** The part of `process.stdout` that an output needs. */
export interface OutputStream {
  readonly isTTY?: boolean;
  /** Prints a text. */
  write(text: string): unknown;
}

const CODES: Readonly<Record<Tone, string>> = {
  good: "32",
  bad: "31",
  waiting: "33",
  quiet: "2",
  strong: "1",
};

/** What stands for a character that is not ASCII. */
const ASCII: Readonly<Record<string, string>> = {
  "✓": "+",
  "✗": "x",
  "○": "o",
  "·": "-",
  "…": "...",
  "→": "->",
  "←": "<-",
  "≥": ">=",
  "≤": "<=",
  "≠": "!=",
  "×": "x",
  "–": "-",
  "—": "-",
  µ: "u",
  "“": '"',
  "”": '"',
  "‘": "'",
  "’": "'",
};

/** The style that an environment asks for: `--plain`, `CAIRN_PLAIN`, `NO_COLOR`, `TERM=dumb`. */
export function createStyle(options: {
  readonly isPlain?: boolean;
  readonly isTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Style {
  const { environment } = options;
  const asked = (name: string): boolean => (environment[name] ?? "") !== "";
  const isPlain = options.isPlain === true || asked("CAIRN_PLAIN");
  const isColored =
    options.isTerminal && !isPlain && !asked("NO_COLOR") && environment["TERM"] !== "dumb";
  return {
    isPlain,
    paint: (tone, text) => (isColored ? `\u001b[${CODES[tone]}m${text}\u001b[0m` : text),
    finish: (text) => (isPlain ? toAscii(text) : text),
  };
}

/** An output on a stream. */
export function createOutput(stream: OutputStream, style: Style): Output {
  return { style, say: (text = "") => void stream.write(`${style.finish(text)}\n`) };
}

function toAscii(text: string): string {
  // Whatever is left is a reader's own string: an escape says which character it was.
  return text.replace(/[^\n\t -~]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return ASCII[character] ?? `\\u{${code.toString(16)}}`;
  });
}
