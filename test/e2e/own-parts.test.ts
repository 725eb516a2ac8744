/**
 * The database on a reader's own log. Method: a copy of the repository as a reader has it, with the
 * chapter's solution as `work/wal`; then `cairn run --nodes 3` as a process, rows, the leader
 * killed with SIGKILL, and the rows read back from whoever is left and from whoever came back.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createHttpClient } from "../support/http-client.ts";
import { atTestEnd, freePort, waitUntil } from "../support/processes.ts";
import { readersCopy } from "../support/readers-copy.ts";

/** TypeScript in every thread, on a machine that runs other tests as well. */
const TIMEOUT_MS = 150_000;
const ROWS = 200;
const http = createHttpClient();

interface Run {
  readonly child: ChildProcess;
  text(): string;
  printed(pattern: RegExp, from?: number): Promise<RegExpExecArray>;
  exit(): Promise<number | null>;
}

function cairnRun(copy: string, flags: readonly string[]): Run {
  const child = spawn(process.execPath, [join(copy, "dist/cli/cairn.js"), "run", ...flags], {
    cwd: copy,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const take = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout?.on("data", take);
  child.stderr?.on("data", take);
  const exit = new Promise<number | null>((done) => child.once("close", done));
  atTestEnd(async () => {
    child.kill("SIGTERM");
    await exit;
  });
  return {
    child,
    text: () => output,
    printed: (pattern, from = 0) =>
      waitUntil(`output matches ${pattern}`, () => pattern.exec(output.slice(from)) ?? undefined, {
        timeoutMs: TIMEOUT_MS / 2,
        describe: () => output,
      }),
    exit: () => exit,
  };
}

async function post(url: string, statements: unknown): Promise<Record<string, unknown>[]> {
  const headers = { "Content-Type": "application/json" };
  const { text } = await http.post(url, JSON.stringify(statements), { headers });
  return (JSON.parse(text) as { results?: Record<string, unknown>[] }).results ?? [];
}

/** Number and sum of the rows that a node has; undefined while it cannot tell. */
async function rowsOf(url: string, level: string): Promise<unknown> {
  try {
    const query = ["SELECT count(*), sum(value) FROM ledger"];
    const [result] = await post(`${url}/db/query?level=${level}`, query);
    return (result?.["values"] as unknown[] | undefined)?.[0];
  } catch {
    // It does not listen, or not yet.
    return undefined;
  }
}

async function partsOf(url: string): Promise<unknown> {
  const { text } = await http.get(`${url}/status?key=cairn.parts`);
  return JSON.parse(text);
}

/** The first of three ports in a row, as many as there are nodes. */
async function firstOfThree(): Promise<number> {
  const [first = 0] = [await freePort(), await freePort(), await freePort()];
  return first;
}

const ALL_ROWS = [ROWS, (ROWS * (ROWS - 1)) / 2];

test(
  "three nodes run on the reader's log, and a killed leader loses nothing",
  async () => {
    const copy = readersCopy({ modules: { wal: "mine", memtable: "reference" } });
    // Each node has one port of both rows. All six are this process's own: a port beyond its range
    // may be given out by another test file before a node listens there.
    const ports = [await firstOfThree(), await firstOfThree()].map(String);
    const flags = ["--nodes", "3", "--http-port", ports[0]!, "--raft-port", ports[1]!];
    const run = cairnRun(copy, [...flags, "--no-sample"]);
    await run.printed(/^ {2}wal +mine +work\/wal$/m);
    await run.printed(/Ctrl-C stops everything/);
    const urls = [...run.text().matchAll(/^ {2}n\d {2}(http:\S+)$/gm)].map((match) => match[1]!);
    expect(urls).toHaveLength(3);
    for (const url of urls) {
      expect(await partsOf(url)).toEqual({
        bytes: "reference",
        wal: "mine",
        raft: "reference",
        replica: "reference",
        sqlite: "reference",
      });
    }

    await post(`${urls[0]}/db/execute`, ["CREATE TABLE ledger (value INTEGER NOT NULL)"]);
    for (let value = 0; value < ROWS; value += 1) {
      const url = urls[value % urls.length]!;
      const [result] = await post(`${url}/db/execute`, [["INSERT INTO ledger VALUES(?)", value]]);
      expect(result, `row ${value}`).toMatchObject({ rows_affected: 1 });
    }

    const pid = Number((await run.printed(/^ {2}kill -9 (\d+)$/m))[1]);
    const leader = (await run.printed(/Kill the leader, (n\d):/))[1];
    const from = run.text().length;
    process.kill(pid, "SIGKILL");
    const next = (await run.printed(/(n\d) is the leader in term/, from))[1];
    expect(next).not.toBe(leader);
    const survivor = urls[Number(next?.slice(1)) - 1]!;
    expect(await waitUntil("rows of the survivors", () => rowsOf(survivor, "strong"))).toEqual(
      ALL_ROWS,
    );
    await run.printed(new RegExp(`${leader} is back and has caught up`), from);
    const returned = urls[Number(leader?.slice(1)) - 1]!;
    expect(await waitUntil("rows of the returned", () => rowsOf(returned, "none"))).toEqual(
      ALL_ROWS,
    );
    expect(await partsOf(returned)).toMatchObject({ wal: "mine" });
    run.child.kill("SIGINT");
    expect(await run.exit()).toBe(0);

    // What this log has written is not opened by another one.
    const other = { version: 1, steps: {}, modules: {}, quiz: {} };
    writeFileSync(join(copy, "work/.cairn/progress.json"), JSON.stringify(other));
    const second = cairnRun(copy, flags);
    expect(await second.exit()).toBe(2);
    expect(second.text()).toMatch(/written by other parts than these\. .*--fresh/);
  },
  TIMEOUT_MS,
);

test(
  "what is missing or cannot be loaded is said before anything is started",
  async () => {
    const copy = readersCopy({ modules: { wal: "mine" } });
    const door = join(copy, "work/wal/index.ts");
    const given = 'export { describeSegment, isSegmentFile } from "#wal/reference";\n';
    writeFileSync(door, `${given}export const openLog = null;\n`);
    const without = cairnRun(copy, []);
    expect(await without.exit()).toBe(2);
    expect(without.text()).toMatch(/does not export openWal, which the database needs/);
    expect(without.text()).toContain('from "#wal/reference"');

    writeFileSync(door, 'export { openWal } from "./nowhere.ts";\n');
    const broken = cairnRun(copy, []);
    expect(await broken.exit()).toBe(2);
    expect(broken.text()).toMatch(/cannot be loaded with work\/wal:[\s\S]*nowhere\.ts/);

    rmSync(door);
    const missing = cairnRun(copy, []);
    expect(await missing.exit()).toBe(2);
    expect(missing.text()).toMatch(/work\/wal\/index\.ts is missing.*wal=reference/s);
    expect(missing.text()).not.toContain("Starting");
  },
  TIMEOUT_MS,
);
