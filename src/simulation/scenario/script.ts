/**
 * The text of a scenario: blocks of commands, each followed by what came out of it.
 *
 * A block is a run of lines without an empty one. `#` begins a comment. A line of three dashes
 * parts the commands from their outcome; without it, nothing came out. What a text says about its
 * outcome is compared byte for byte and can be written anew.
 * Invariant: rendering a parsed script with its own outcomes gives the same text.
 * Chapter: 11-simulation.
 */

/** One word of a command, and where it stands. */
export interface Word {
  readonly text: string;
  /** 1 for the first character of the line. */
  readonly column: number;
  /** It stood between quotes. */
  readonly quoted: boolean;
}

/** One line that says what to do. */
export interface Command {
  /** 1 for the first line of the text. */
  readonly line: number;
  readonly words: readonly Word[];
}

/** Commands, and the outcome that the text promises. */
export interface Block {
  readonly commands: readonly Command[];
  /** Lines of the text that come before the outcome, comments included. */
  readonly source: readonly string[];
  readonly expected: readonly string[];
  /** Where the outcome begins, or would begin. */
  readonly outcomeLine: number;
}

/** A scenario that was read. */
export interface Script {
  /** The first comment: what the scenario shows. */
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Stands between commands and outcome. */
const DASHES = "---";

/** The text cannot be read or carried out; says where. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
  readonly line: number;
  readonly column: number;

  constructor(line: number, column: number, message: string) {
    super(`line ${line}, column ${column}: ${message}`);
    this.line = line;
    this.column = column;
  }
}

/**
 * Reads a scenario.
 *
 * @throws ScenarioError for a quote that is not closed, or dashes without commands.
 */
export function parseScript(text: string): Script {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]!.trim() === "") {
      at += 1;
      continue;
    }
    let end = at;
    while (end < lines.length && lines[end]!.trim() !== "") end += 1;
    blocks.push(parseBlock(lines.slice(at, end), at + 1));
    at = end;
  }
  const title =
    lines
      .find((line) => line.startsWith("#"))
      ?.slice(1)
      .trim() ?? "";
  return { title, blocks };
}

function parseBlock(lines: readonly string[], firstLine: number): Block {
  const dashes = lines.indexOf(DASHES);
  const source = dashes === -1 ? lines : lines.slice(0, dashes);
  const expected = dashes === -1 ? [] : lines.slice(dashes + 1);
  const commands: Command[] = [];
  for (const [i, text] of source.entries()) {
    const words = wordsOf(text, firstLine + i);
    if (words.length > 0) commands.push({ line: firstLine + i, words });
  }
  if (dashes !== -1 && commands.length === 0) {
    throw new ScenarioError(firstLine + dashes, 1, "an outcome without commands");
  }
  const outcomeLine = firstLine + (dashes === -1 ? lines.length : dashes + 1);
  return { commands, source, expected, outcomeLine };
}

/** Splits a line at blanks. Quotes hold a word with blanks together; `#` ends the line. */
function wordsOf(text: string, line: number): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === " " || char === "\t") {
      at += 1;
    } else if (char === "#") {
      break;
    } else if (char === '"') {
      const end = text.indexOf('"', at + 1);
      if (end === -1) throw new ScenarioError(line, at + 1, "a quote is not closed");
      words.push({ text: text.slice(at + 1, end), column: at + 1, quoted: true });
      at = end + 1;
    } else {
      let end = at;
      while (end < text.length && text[end] !== " " && text[end] !== "\t") end += 1;
      words.push({ text: text.slice(at, end), column: at + 1, quoted: false });
      at = end;
    }
  }
  return words;
}

/** The text with these outcomes, one list of lines for each block. */
export function renderScript(script: Script, outcomes: readonly (readonly string[])[]): string {
  const blocks = script.blocks.map((block, i) => {
    const outcome = outcomes[i] ?? [];
    const lines = outcome.length === 0 ? block.source : [...block.source, DASHES, ...outcome];
    return lines.join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}
