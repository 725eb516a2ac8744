/**
 * Reports as text for people. The JSON form is the report object as it is.
 */
import { arch, cpus, platform, totalmem } from "node:os";
import type { BenchReport, Figure } from "./types.ts";

const BYTES_PER_GIB = 2 ** 30;

/** One line about the machine, without which no number means anything. */
export function environmentLine(): string {
  const processors = cpus();
  const gib = Math.round(totalmem() / BYTES_PER_GIB);
  const model = processors[0]?.model.trim() ?? "unknown processor";
  const system = `node ${process.versions.node}, ${platform()} ${arch()}`;
  return `${system}, ${processors.length} x ${model}, ${gib} GiB`;
}

/** The report as lines of text. */
export function formatReport(report: BenchReport): string {
  const parameters = Object.entries(report.parameters).map(([name, value]) => `${name}=${value}`);
  const lines = [`${report.name} (${[report.size, ...parameters].join(", ")})`];
  for (const { name, count, microseconds: us } of report.series) {
    const times = `p50 ${digits(us.p50)}  p90 ${digits(us.p90)}  p99 ${digits(us.p99)}`;
    lines.push(`  ${name.padEnd(36)} n ${count}  ${times}  max ${digits(us.max)} µs`);
  }
  for (const figure of report.figures) lines.push(`  ${formatFigure(figure)}`);
  lines.push(`  work ${report.workHash}`);
  return lines.join("\n");
}

/** Tells whether a figure is where it should be; true when it has no goal. */
export function meetsGoal(figure: Figure): boolean {
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } =
    figure.goal ?? {};
  return figure.value <= atMost && figure.value >= atLeast;
}

function formatFigure(figure: Figure): string {
  const peer = figure.peer === undefined ? "" : ` against ${figure.peer}`;
  const value = `${digits(figure.value)} ${figure.unit}`;
  if (figure.goal === undefined) return `${figure.name.padEnd(36)} ${value}${peer}`;
  const { atMost, atLeast } = figure.goal;
  const goal = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  const verdict = meetsGoal(figure) ? "met" : "MISSED";
  return `${figure.name.padEnd(36)} ${value}${peer} (goal: ${goal}; ${verdict})`;
}

function digits(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US");
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
