/**
 * Makes the page of transcripts: runs each command with the real `curl` against a node and writes
 * down what it prints, with everything that differs from run to run put into one form.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { wordsOf } from "../../support/transcript.ts";
import { TRANSCRIPTS, type TranscriptStep } from "./transcripts.ts";

const HEAD = `# The HTTP API

Every endpoint, as \`curl\` sees it. The transcripts are made by \`test/server/compat\` and compared at
every run of the tests: times, sequence numbers and ports are put into one form, and nothing else.
The API is rqlite's; [the differences](rqlite-differences.md) have a page of their own. All
parameters are in \`/openapi.json\`.

The node is alone, new, and listens at \`localhost:4001\`.
`;

/** Columns of a paragraph. */
const WIDTH = 100;

/** What differs from run to run, and what stands for it. */
const FORMS: readonly (readonly [pattern: RegExp, form: string])[] = [
  [/"sequence_number":\d{19}/g, '"sequence_number":1796000000000000000'],
  [/(?<key>"time": ?)[\d.e-]+/g, "$<key>0.000023"],
  [/(?<key>"time_s": ?)"[^"]+"/g, '$<key>"23µs"'],
  [/"index":\d+/g, '"index":5'],
  [/"digest":"[0-9a-f]{64}"/g, '"digest":"78b2…"'],
  [/"raft_index":\d+/g, '"raft_index":5'],
  [/^Date: .*$/gim, "Date: Mon, 30 Nov 2026 12:00:00 GMT"],
  [/127\.0\.0\.1:\d+/g, "localhost:4001"],
];

const run = promisify(execFile);

/** The page, from a node that is alone and new. */
export async function renderPage(address: string, raftAddress: string): Promise<string> {
  const parts = [HEAD];
  for (const step of TRANSCRIPTS) {
    if (step.heading !== undefined) parts.push(`## ${step.heading}\n`);
    if (step.text !== undefined) parts.push(`${wrapped(step.text)}\n`);
    const printed = await printedBy(step, address, raftAddress);
    const pipe = step.pipe === undefined ? "" : ` | ${step.pipe}`;
    parts.push(`\`\`\`console\n$ curl -s ${step.curl}${pipe}\n${printed}\`\`\`\n`);
  }
  return parts.join("\n");
}

async function printedBy(
  { curl, pipe }: TranscriptStep,
  address: string,
  raftAddress: string,
): Promise<string> {
  const words = wordsOf(curl).map((word) => word.replace("localhost:4001", address));
  const { stdout } = await run("curl", ["-s", ...words], { encoding: "buffer" });
  const text = cut(stdout.toString("utf8"), pipe)
    .replaceAll("\\n", "\n")
    .replaceAll(raftAddress, "localhost:4002")
    .replaceAll("\r", "");
  const normal = FORMS.reduce((so, [pattern, form]) => so.replace(pattern, form), text);
  const lines = normal.replace(/\n$/, "");
  return lines === "" ? "" : `${lines}\n`;
}

function cut(text: string, pipe: TranscriptStep["pipe"]): string {
  switch (pipe) {
    case "head -c 15":
      return text.slice(0, 15);
    case "wc -c":
      return String(text.length);
    case "head -4":
      return text.split("\n").slice(0, 4).join("\n");
    default:
      return text;
  }
}

function wrapped(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
