/**
 * Makes the transcripts of a page anew: runs each command of its `console` fences in a shell and
 * puts what it prints in its place, with everything that differs from run to run in one form.
 *
 * In the page the node is at `localhost:4001`; here it is anywhere.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

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

const FENCE = /(^```console\n\$ .*\n[\s\S]*?^```$)/m;
const COMMAND = /^```console\n\$ (.*)\n/;

const run = promisify(execFile);

/** The page with what its commands print now. The node is alone and new. */
export async function renewPage(
  page: string,
  node: { readonly httpAddress: string; readonly raftAddress: string },
): Promise<string> {
  const parts: string[] = [];
  for (const part of page.split(FENCE)) {
    const command = COMMAND.exec(part)?.[1];
    if (command === undefined) parts.push(part);
    else parts.push(`\`\`\`console\n$ ${command}\n${await printedBy(command, node)}\`\`\``);
  }
  return parts.join("");
}

async function printedBy(
  command: string,
  node: { readonly httpAddress: string; readonly raftAddress: string },
): Promise<string> {
  const real = command.replaceAll("localhost:4001", node.httpAddress);
  const { stdout } = await run("sh", ["-c", real], { encoding: "utf8" });
  const text = stdout.replaceAll(node.raftAddress, "localhost:4002").replaceAll("\r", "");
  const normal = FORMS.reduce((so, [pattern, form]) => so.replace(pattern, form), text);
  const lines = normal.replace(/\n$/, "");
  return lines === "" ? "" : `${lines}\n`;
}
