/**
 * Markdown as the house tests read it: fences and links, found line by line.
 *
 * Invariant: what stands inside a fence is never taken for prose, and the other way round.
 */
import { filesUnder, textOf } from "./sources.ts";

/** A fenced block. */
export interface Fence {
  readonly path: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** What follows the backticks: a language, and perhaps a source. */
  readonly info: string;
  readonly text: string;
}

/** Every Markdown file of the repository. */
export function pages(): string[] {
  return filesUnder(".", ".md");
}

/** The fences of a page, and its prose with the fences left out as empty lines. */
export function readPage(path: string): { fences: Fence[]; prose: string[] } {
  const fences: Fence[] = [];
  const prose: string[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of textOf(path).split("\n").entries()) {
    const mark = /^\s*```(.*)$/.exec(line);
    if (open === undefined && mark === null) {
      prose.push(line);
      continue;
    }
    prose.push("");
    if (open === undefined) {
      open = { line: index + 1, info: (mark?.[1] ?? "").trim(), lines: [] };
    } else if (mark === null) {
      open.lines.push(line);
    } else {
      fences.push({ path, line: open.line, info: open.info, text: open.lines.join("\n") });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${path}:${open.line}: the fence is never closed`);
  return { fences, prose };
}

/** The anchor that a heading gets: lower case, dashes for spaces, punctuation gone. */
export function anchorOf(heading: string): string {
  return heading
    .replace(/`/g, "")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
