/**
 * A failure as a reader sees it: what happened, why it matters, the bytes or the timeline, the
 * rule, how to see it again, where the hint is.
 *
 * Plain text of at most 100 columns. Invariant: nothing here depends on a terminal; colours are put
 * on by whoever prints.
 */

import { renderBytes } from "./render-bytes.ts";
import type { Failure, Lesson } from "./types.ts";

const WIDTH = 96;
const LABEL_WIDTH = 17;
/** A crash lab has no hints. */
const STEP = /^\d\d\.\d+$/;

/** The whole failure, without a line break at its end. */
export function renderFailure(failure: Failure): string {
  const { lesson } = failure;
  const mark = failure.isWaiting ? "○" : "✗";
  const title = `${mark} ${failure.step}  ${failure.check}`;
  const rule = failure.rule === "" ? "" : `rule ${failure.rule}`;
  const gap = Math.max(2, WIDTH - title.length - rule.length);
  const lines = [`${title}${" ".repeat(gap)}${rule}`.trimEnd()];
  const add = (label: string, text: string): void => {
    lines.push(...labelled(label, text));
  };
  add("What happened", lesson.happened);
  if (failure.place !== undefined) add("Where", failure.place);
  add("Why it matters", lesson.why);
  if (lesson.bytes !== undefined) lines.push(...labelledBlock("Bytes", renderBytes(lesson.bytes)));
  if (lesson.timeline !== undefined) lines.push(...labelledBlock("Timeline", lesson.timeline));
  if (failure.rule !== "") add(`Rule ${failure.rule}`, failure.ruleText);
  add("Again", againOf(failure, lesson));
  if (STEP.test(failure.step)) add("Hint", `npx cairn hint ${failure.step}`);
  return lines.join("\n");
}

function againOf(failure: Failure, lesson: Lesson): string {
  if (lesson.again !== undefined) return lesson.again;
  if (!STEP.test(failure.step)) return `npx cairn ${failure.step}`;
  const seed = failure.seed === 1 ? "" : ` --seed ${failure.seed}`;
  return `npx cairn test ${failure.step}${seed}`;
}

/** A label, and a text beside it that is wrapped. */
function labelled(label: string, text: string): string[] {
  return labelledBlock(label, wrap(text, WIDTH - LABEL_WIDTH));
}

function labelledBlock(label: string, lines: readonly string[]): string[] {
  return lines.map((line, index) =>
    `  ${(index === 0 ? label : "").padEnd(LABEL_WIDTH - 2)} ${line}`.trimEnd(),
  );
}

/**
 * Breaks a text between words; what has no blank in it stays whole. Blanks before a paragraph are
 * kept, also on the lines into which it is broken.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    const text = paragraph.trimStart();
    const indent = paragraph.slice(0, paragraph.length - text.length);
    let line = "";
    for (const word of text.split(" ")) {
      if (line !== "" && indent.length + line.length + 1 + word.length > width) {
        lines.push(indent + line);
        line = word;
      } else {
        line = line === "" ? word : `${line} ${word}`;
      }
    }
    lines.push(line === "" ? "" : indent + line);
  }
  return lines;
}
