/**
 * Pages in parts: hints, notes and rules are found by their headings, and shown in a terminal.
 *
 * Invariant: what stands in a fence is never taken for a heading, and keeps its lines.
 */
import { wrap } from "./render-failure.ts";
import type { Style } from "./style.ts";

const WIDTH = 96;

/** A part of a page: its heading without marks, and what is below it up to the next of its rank. */
export interface Section {
  readonly heading: string;
  readonly text: string;
}

/** The sections of a rank: 2 for `##`. */
export function sectionsOf(page: string, rank: number): Section[] {
  const mark = `${"#".repeat(rank)} `;
  const higher = new RegExp(`^#{1,${rank - 1}} `);
  const found: { heading: string; lines: string[] }[] = [];
  let isFence = false;
  let isInside = false;
  for (const line of page.split("\n")) {
    if (/^\s*```/.test(line)) isFence = !isFence;
    if (!isFence && line.startsWith(mark)) {
      found.push({ heading: line.slice(mark.length).trim(), lines: [] });
      isInside = true;
    } else if (!isFence && higher.test(line)) {
      isInside = false;
    } else if (isInside) {
      found.at(-1)?.lines.push(line);
    }
  }
  return found.map(({ heading, lines }) => ({ heading, text: lines.join("\n").trim() }));
}

/** The section whose heading begins with a word, such as `01.3` or `W5`; undefined if none does. */
export function sectionOf(page: string, word: string, rank = 2): Section | undefined {
  return sectionsOf(page, rank).find(({ heading }) => {
    return heading.split(/[\s:]/)[0] === word || heading.startsWith(`Step ${word}:`);
  });
}

/** Markdown as lines for a terminal: paragraphs wrapped, code indented. */
export function renderMarkdown(style: Style, text: string): string[] {
  const lines: string[] = [];
  let paragraph = "";
  let isFence = false;
  const flush = (): void => {
    if (paragraph !== "") lines.push(...wrapItem(paragraph));
    paragraph = "";
  };
  for (const line of text.split("\n")) {
    if (/^\s*```/.test(line)) {
      flush();
      isFence = !isFence;
    } else if (isFence) {
      lines.push(`    ${line}`.trimEnd());
    } else if (/^#+ /.test(line)) {
      flush();
      lines.push(style.paint("strong", line.replace(/^#+ /, "")));
    } else if (line.trim() === "") {
      flush();
      lines.push("");
    } else if (/^\s*([-*]|\d+\.) /.test(line) || line.startsWith("|")) {
      flush();
      if (line.startsWith("|")) lines.push(line);
      else paragraph = line.trimEnd();
    } else {
      paragraph = paragraph === "" ? line.trim() : `${paragraph} ${line.trim()}`;
    }
  }
  flush();
  return lines;
}

/** Wraps a paragraph; the lines of a list item hang below its text. */
function wrapItem(paragraph: string): string[] {
  const indent = /^\s*(?:[-*]|\d+\.) /.exec(paragraph)?.[0].length ?? 0;
  const body = wrap(paragraph.slice(indent), WIDTH - indent);
  return body.map((line, index) => {
    return (index === 0 ? paragraph.slice(0, indent) : " ".repeat(indent)) + line;
  });
}
