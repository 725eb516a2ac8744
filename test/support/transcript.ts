/**
 * Transcripts in pages: commands that a reader types, and what they print.
 *
 * Invariant: a transcript is compared as a whole: `…` stands for any text within a line, a line of
 * only `…` for any lines, and nothing else is left out.
 */

/** One command of a transcript and what the page says that it prints. */
export interface Exchange {
  /** The words behind `npx`, such as `cairn test 00.1`. */
  readonly command: readonly string[];
  readonly expected: string;
}

/** The exchanges of a `console` fence. */
export function exchangesOf(text: string): Exchange[] {
  const found: { command: string[]; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const typed = /^\$ (.+)$/.exec(line)?.[1];
    if (typed !== undefined) found.push({ command: wordsOf(typed), lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found.map(({ command, lines }) => ({ command, expected: lines.join("\n").trimEnd() }));
}

/** Does what was printed fit what a page says? */
export function fits(printed: string, expected: string): boolean {
  return patternOf(expected).test(printed.trimEnd());
}

/** The words of a command; quotes hold blanks together. */
export function wordsOf(command: string): string[] {
  const words = command.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  return words.map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
}

function patternOf(expected: string): RegExp {
  const lines = expected.split("\n").map((line) => {
    if (line.trim() === "…") return "(?:.*\\n)*?.*";
    return line.split("…").map(escaped).join(".*");
  });
  return new RegExp(`^${lines.join("\\n")}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
