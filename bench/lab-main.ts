/**
 * Runs benchmark labs: as a whole (`--target 01.group-commit --predict 30`), and, as its own child
 * (`--child wal/group-commit`), one measurement of one subject.
 *
 * The child measures whatever `#<module>` leads to under the conditions that it is started with.
 */
import { parseArgs } from "node:util";
import { type LabAnswer, measureLab } from "./harness/lab-child.ts";
import { LabRefusal, runLabs } from "./harness/lab-run.ts";

/** Asked for what does not exist, or without a prediction. */
const REFUSED = 2;

const { values: flags } = parseArgs({
  options: {
    child: { type: "string" },
    target: { type: "string" },
    predict: { type: "string" },
    skip: { type: "boolean", default: false },
    small: { type: "boolean", default: false },
    plain: { type: "boolean", default: false },
    out: { type: "string", default: "work/.cairn/bench" },
  },
});

if (flags.child === undefined) await lead();
else await follow(flags.child);

async function lead(): Promise<void> {
  const { target = "", out, predict, skip, small } = flags;
  const say = (line: string): void => {
    process.stdout.write(`${flags.plain ? plainText(line) : line}\n`);
  };
  try {
    process.exitCode = await runLabs({ target, out, predict, skip, small, say });
  } catch (error) {
    if (!(error instanceof LabRefusal)) throw error;
    say(error.message);
    process.exitCode = REFUSED;
  }
}

async function follow(name: string): Promise<void> {
  const answer: LabAnswer = await measureLab(name, flags.small ? "small" : "canonical");
  process.send?.(answer, () => process.disconnect?.());
}

/** Without the signs that a screen reader stumbles over. */
function plainText(line: string): string {
  return line.replaceAll("×", "x").replaceAll("…", "...").replaceAll("µ", "u");
}
