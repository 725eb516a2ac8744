/**
 * One function, class or method out of a source text, found by its name.
 *
 * By lines and indentation, which the formatter keeps: no parser has to be loaded for it.
 * Invariant: what is returned is whole lines of the text, comment included.
 */

/** A part, and where it stands. */
export interface CodePart {
  /** Line of its first line, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The part called `name`; undefined if no line declares it. `Wal.append` is found as `append`. */
export function codePart(text: string, name: string): CodePart | undefined {
  const lines = text.split("\n");
  const word = (name.split(".").at(-1) ?? name).replace(/[^\w#]/g, "");
  if (word === "") return undefined;
  const keyword = "(?:function\\*?|class|interface|type|const|get)";
  const modifiers = "(?:export )?(?:readonly |static |async )*";
  // A method opens its body, or at least its parameters, at the end of the line.
  const method = `${word}(?:<[^(]*>)?\\([^;]*[{(,]$`;
  const field = `${word}(?:: [^,]*;|(?:: .*)? = .*;)$`;
  const declares = new RegExp(`^\\s*${modifiers}(?:${keyword} ${word}\\b|${method}|${field})`);
  const at = lines.findIndex((line) => declares.test(line) && !isCall(line, word));
  if (at < 0) return undefined;
  const from = commentStart(lines, at);
  return { line: from + 1, text: lines.slice(from, partEnd(lines, at) + 1).join("\n") };
}

/** A statement such as `append(` calls, it does not declare. */
function isCall(line: string, word: string): boolean {
  return (
    new RegExp(`^\\s*${word}\\(`).test(line) && !line.trimEnd().endsWith("{") && /;\s*$/.test(line)
  );
}

/** The first line of the comment above a line. */
function commentStart(lines: readonly string[], at: number): number {
  let from = at;
  while (from > 0 && /^\s*(\/\*\*|\*|\/\/|\*\/)/.test(lines[from - 1] ?? "")) from -= 1;
  return from;
}

/** The last line of what begins at a line: the one that closes it, at the same indentation. */
function partEnd(lines: readonly string[], at: number): number {
  const indent = indentOf(lines[at] ?? "");
  if (/;\s*$/.test(lines[at] ?? "")) return at;
  for (let index = at + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const closes = /^\s*[})\]]/.test(line) && indentOf(line) === indent;
    // `): void {` closes the parameters only.
    if (closes && !/[{(,]\s*$/.test(line)) return index;
  }
  return lines.length - 1;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
