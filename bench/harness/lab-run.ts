/**
 * Runs labs for a reader: prediction, calibration, rounds of both subjects in turns, report.
 *
 * Invariants: no measurement without a prediction, or the word that there shall be none; each round
 * is a process of its own; a reader's code that fails does not hide the reference's numbers.
 */
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { calibrate, calibrationLines } from "./lab-calibrate.ts";
import type { LabAnswer, LabRun } from "./lab-child.ts";
import { labFiles, labId, labsOf, loadLab } from "./lab-files.ts";
import { type MergedLab, mergeRuns } from "./lab-merge.ts";
import { readPrediction } from "./lab-predict.ts";
import type { LabReport } from "./lab-report.ts";
import { reportLines } from "./lab-text.ts";
import type { Lab } from "./lab-types.ts";
import { plotSvg } from "./plot.ts";
import { plotPage } from "./plot-page.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const MAIN = join(ROOT, "bench/lab-main.ts");

/** Two show that a number can be repeated; three or five, of which one is the middle, if quick. */
const ROUNDS_MIN = 2;
const ROUNDS_MAX = 5;
const SECONDS_MAX = 75;

/** Asked for what does not exist, or without a prediction. The message is for the reader. */
export class LabRefusal extends Error {
  override readonly name = "LabRefusal";
}

/** What a reader asks for. */
export interface LabRequest {
  /** `01.group-commit`, or a module's name for all its labs. */
  readonly target: string;
  readonly predict?: string | undefined;
  readonly skip: boolean;
  readonly small: boolean;
  /** Where report and plot go. */
  readonly out: string;
  readonly say: (line: string) => void;
}

/** Runs them. @returns the exit code. @throws LabRefusal before anything is measured. */
export async function runLabs(request: LabRequest): Promise<number> {
  const names = labsOf(request.target);
  if (names.length === 0) throw new LabRefusal(unknownTarget(request.target));
  const labs = await Promise.all(names.map(async (name) => ({ name, lab: await loadLab(name) })));
  const planned = labs.map(({ name, lab }) => ({
    name,
    lab,
    prediction: predictionFor(lab, request, labs.length),
  }));
  const refused = planned.filter(({ prediction }) => prediction === "missing");
  if (refused.length > 0) throw new LabRefusal(askFor(refused.map(({ lab }) => lab)));
  let exitCode = 0;
  for (const { name, lab, prediction } of planned) {
    if (prediction === "missing") continue;
    const report = await runLab({ name, lab, prediction }, request);
    if (report.mineProblem !== undefined) exitCode = 1;
  }
  return exitCode;
}

function unknownTarget(target: string): string {
  const known = labFiles().map((name) => `  ${labId(name)}`);
  const asked = target === "" ? "Which lab?" : `There is no lab ${target}.`;
  return [`${asked} These exist; a module's name (wal) means all of its labs:`, ...known].join(
    "\n",
  );
}

type Prediction = {
  readonly text?: string;
  readonly value?: number;
  /** Of an earlier run: the reader was not asked this time. */
  readonly isStored?: boolean;
};

/** What the reader predicts: now, or the last time. */
function predictionFor(lab: Lab, request: LabRequest, labs: number): Prediction | "missing" {
  if (request.skip) return {};
  if (request.predict === undefined) return storedPrediction(lab, request.out) ?? "missing";
  if (labs > 1) {
    throw new LabRefusal(
      `${request.target} has ${labs} labs, and a prediction is for one. Name the lab:\n` +
        labsOf(request.target)
          .map((name) => `  npx cairn bench ${labId(name)}`)
          .join("\n"),
    );
  }
  const value = readPrediction(request.predict, lab.prediction.unit);
  if (value !== undefined) return { text: request.predict, value };
  throw new LabRefusal(
    `No single number could be read from "${request.predict}". Give one: --predict "30"`,
  );
}

/** A prediction is not asked for twice. */
function storedPrediction(lab: Lab, out: string): Prediction | undefined {
  const names = [`${lab.id}.json`, `${lab.id}.small.json`];
  const path = names.map((name) => join(ROOT, out, name)).find((one) => existsSync(one));
  if (path === undefined) return undefined;
  const { prediction } = JSON.parse(readFileSync(path, "utf8")) as LabReport;
  if (prediction?.value === undefined) return undefined;
  const text = prediction.text ?? String(prediction.value);
  return { value: prediction.value, text, isStored: true };
}

/** Says which prediction is used where none was given. */
function storedLine(id: string, text: string): string {
  return `Your prediction of last time: ${text}. Another one: npx cairn bench ${id} --predict "…"`;
}

function askFor(labs: readonly Lab[]): string {
  return labs
    .map((lab) =>
      [
        `${lab.id}  ${lab.title}`,
        lab.question,
        "",
        "Predict before you measure. One number:",
        `  ${lab.prediction.ask}${lab.prediction.unit === "" ? "" : ` (${lab.prediction.unit})`}`,
        "",
        `  npx cairn bench ${lab.id} --predict "…"`,
        `  npx cairn bench ${lab.id} --skip`,
      ].join("\n"),
    )
    .join("\n\n");
}

interface PlannedLab {
  readonly name: string;
  readonly lab: Lab;
  readonly prediction: Prediction;
}

async function runLab(planned: PlannedLab, request: LabRequest): Promise<LabReport> {
  const { name, lab } = planned;
  const { say, small } = request;
  say(`${lab.id}  ${lab.title}`);
  say(lab.question);
  if (planned.prediction.isStored === true) {
    say(storedLine(lab.id, planned.prediction.text ?? ""));
  }
  const calibration = calibrate(small ? "small" : "canonical");
  for (const line of calibrationLines(calibration)) say(line);
  const rounds = await measureInTurns(name, request);
  const reference = mergeRuns(rounds.reference);
  const mine: MergedLab | undefined = rounds.mine.length === 0 ? undefined : mergeRuns(rounds.mine);
  const { value, text } = planned.prediction;
  const points = value === undefined ? undefined : lab.predictedPoints?.(value, mine ?? reference);
  const report: LabReport = {
    id: lab.id,
    title: lab.title,
    question: lab.question,
    about: lab.about,
    module: moduleOf(name),
    size: small ? "small" : "canonical",
    measuredAt: new Date().toISOString(),
    x: lab.x,
    y: lab.y,
    ...(lab.pointLabel === undefined ? {} : { pointLabel: lab.pointLabel }),
    prediction: {
      ...lab.prediction,
      ...(value === undefined ? {} : { value, text: text ?? String(value) }),
      ...(points === undefined ? {} : { points }),
    },
    calibration,
    reference,
    ...(mine === undefined ? {} : { mine }),
    ...(rounds.problem === undefined ? {} : { mineProblem: rounds.problem }),
  };
  say("");
  for (const line of reportLines(report)) say(line);
  say("");
  for (const path of writeReport(report, request.out)) say(`Written: ${path}`);
  return report;
}

function moduleOf(name: string): string {
  return name.split("/")[0] ?? "";
}

interface Rounds {
  readonly mine: readonly LabRun[];
  readonly reference: readonly LabRun[];
  readonly problem?: string;
}

/** Reader, reference, reference, reader, and so on: no subject always has the warmer machine. */
async function measureInTurns(name: string, request: LabRequest): Promise<Rounds> {
  const module = moduleOf(name);
  const hasMine = existsSync(join(ROOT, "work", module, "index.ts"));
  const mine: LabRun[] = [];
  const reference: LabRun[] = [];
  let problem: string | undefined;
  const start = performance.now();
  for (let round = 0; round < (request.small ? 1 : ROUNDS_MAX); round += 1) {
    const subjects = hasMine && problem === undefined ? ["mine", "reference"] : ["reference"];
    for (const subject of round % 2 === 0 ? subjects : subjects.reverse()) {
      request.say(`Round ${round + 1}, ${subject === "mine" ? `your ${module}` : "reference"} …`);
      const answer = await measure(name, subject === "mine", request.small);
      if (answer.kind === "measured") (subject === "mine" ? mine : reference).push(answer.run);
      else if (subject === "mine") problem = problemOf(module, answer);
      else throw new Error(`lab ${name}: ${answer.reason}`);
    }
    const seconds = (performance.now() - start) / 1000;
    if (isEnough(round + 1, seconds)) break;
  }
  if (problem === undefined) return { mine, reference };
  // Half a comparison is none.
  return { mine: [], reference, problem };
}

function isEnough(rounds: number, seconds: number): boolean {
  const more = rounds === ROUNDS_MIN ? 1 : 2;
  if (rounds < ROUNDS_MIN || (rounds > ROUNDS_MIN && rounds % 2 === 0)) return false;
  return seconds * (1 + more / rounds) > SECONDS_MAX;
}

function problemOf(module: string, answer: Extract<LabAnswer, { kind: "failed" }>): string {
  if (answer.waiting !== undefined) {
    return `Your ${module} is not measured: it has no ${answer.waiting} yet.`;
  }
  return `Your ${module} could not be measured. It threw:\n${answer.reason}`;
}

/** One round of one subject, in a process of its own. */
function measure(name: string, isMine: boolean, small: boolean): Promise<LabAnswer> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const conditions = [...(isMine ? [`mine-${moduleOf(name)}`] : []), "source"];
  const child = fork(MAIN, ["--child", name, ...(small ? ["--small"] : [])], {
    cwd: ROOT,
    execArgv: [...conditions.map((one) => `--conditions=${one}`), "--import", tsx],
  });
  return new Promise((resolve, reject) => {
    let answer: LabAnswer | undefined;
    child.once("error", reject);
    child.once("message", (message) => {
      answer = message as LabAnswer;
    });
    child.once("exit", (code, signal) => {
      const reason = `the process of the lab ended with ${code ?? signal}`;
      resolve(answer ?? { kind: "failed", reason });
    });
  });
}

/** JSON with everything, the plot alone, and a page. @returns paths for people. */
function writeReport(report: LabReport, out: string): string[] {
  const dir = join(ROOT, out);
  mkdirSync(dir, { recursive: true });
  const files: readonly (readonly [ending: string, text: string])[] = [
    ["json", `${JSON.stringify(report, null, 1)}\n`],
    ["svg", plotSvg(report)],
    ["html", plotPage(report)],
  ];
  return files.map(([ending, text]) => {
    // A smoke test does not take the place of a measurement.
    const name = report.size === "small" ? `${report.id}.small` : report.id;
    const path = join(dir, `${name}.${ending}`);
    writeFileSync(path, text);
    return relative(ROOT, path);
  });
}
