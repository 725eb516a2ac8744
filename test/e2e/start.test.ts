/**
 * `npm start`, as a newcomer uses it. Method: run the built `cairn cluster` without a terminal,
 * read what it prints, do what it says, and look at the processes of this machine.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createHttpClient } from "../support/http-client.ts";
import {
  atTestEnd,
  CAIRN,
  freePort,
  isProcessAlive,
  temporaryDir,
  waitUntil,
} from "../support/processes.ts";

const TIMEOUT_MS = 90_000;

/** Distance between the first HTTP port and the first Raft port, and rows of ports in between. */
const RAFT_OFFSET = 100;

interface Run {
  readonly child: ChildProcess;
  /** Everything printed so far. */
  text(): string;
  /** Waits for a match in what was printed after `from` characters. */
  printed(pattern: RegExp, from?: number): Promise<RegExpExecArray>;
  /** Sends a signal and resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Resolves with the exit code when the process ends by itself. */
  exit(): Promise<number | null>;
  /** Process ids of all nodes that were ever named. */
  pids(): readonly number[];
}

function runCluster(dir: string, flags: readonly string[]): Run {
  const child = spawn(process.execPath, [CAIRN, "cluster", "--dir", dir, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  const exit = new Promise<number | null>((done) => child.once("close", done));
  atTestEnd(async () => {
    child.kill("SIGKILL");
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
    async end(signal) {
      child.kill(signal);
      return exit;
    },
    exit: () => exit,
    pids: () => [...new Set([...output.matchAll(/\bpid (\d+)/g)].map((match) => Number(match[1])))],
  };
}

async function portFlags(): Promise<{ readonly httpPort: number; readonly flags: string[] }> {
  const httpPort = await freePort();
  const raftPort = await freePort();
  // Rows of three: some distance keeps the rows of this cluster apart.
  return {
    httpPort,
    flags: ["--http-port", String(httpPort), "--raft-port", String(raftPort + RAFT_OFFSET)],
  };
}

const READY = /Ctrl-C stops everything/;

function nodesGone(run: Run): Promise<true> {
  return waitUntil(
    "no node is left",
    () => (run.pids().some(isProcessAlive) ? undefined : (true as const)),
    { describe: run.text },
  );
}

/** Does what the printed line says, with curl where there is one. */
async function runCurlLine(line: string): Promise<string> {
  try {
    return execFileSync("sh", ["-c", line], { encoding: "utf8" });
  } catch {
    // No curl or no shell on this machine: send what the line would send.
    const [, url = "", body = ""] = /'(http[^']+)'.* -d '(.*)'$/.exec(line) ?? [];
    const headers = { "Content-Type": "application/json" };
    return (await createHttpClient().post(url, body, { headers })).text;
  }
}

describe("cairn cluster", () => {
  test(
    "starts three nodes, survives the death of the leader, stops, and finds its data again",
    async () => {
      const dir = join(temporaryDir(), "cluster");
      const { flags } = await portFlags();
      const run = runCluster(dir, flags);
      await run.printed(READY);
      expect(run.text().match(/^ {2}n\d {2}http:\S+$/gm)).toHaveLength(3);
      expect(run.text()).toContain("Created the sample database");
      expect(run.text()).not.toContain("\u001b");

      const [query, insert] = run.text().match(/^ {2}curl .*$/gm) ?? [];
      const best = JSON.parse(await runCurlLine(query ?? ""));
      expect(best.results[0].values).toHaveLength(3);
      const inserted = JSON.parse(await runCurlLine(insert ?? ""));
      expect(inserted.results[0]).toMatchObject({ rows_affected: 1 });

      const killed = Number((await run.printed(/^ {2}kill -9 (\d+)$/m))[1]);
      const [, oldLeader] = await run.printed(/Kill the leader, (n\d):/);
      const from = run.text().length;
      process.kill(killed, "SIGKILL");
      await run.printed(
        new RegExp(`${oldLeader} \\(process ${killed}\\) was ended by SIGKILL`),
        from,
      );
      const [, newLeader] = await run.printed(/(n\d) is the leader in term/, from);
      expect(newLeader).not.toBe(oldLeader);
      await run.printed(new RegExp(`${oldLeader} is back and has caught up`), from);

      expect(await run.end("SIGINT")).toBe(0);
      expect(run.pids().length).toBe(4);
      expect(run.pids().filter(isProcessAlive)).toEqual([]);

      const second = runCluster(dir, flags);
      await second.printed(READY);
      expect(second.text()).toContain("Found the sample database");
      const [again] = second.text().match(/^ {2}curl .*$/gm) ?? [];
      expect(JSON.parse(await runCurlLine(again ?? "")).results).toEqual(best.results);
      expect(await second.end("SIGTERM")).toBe(0);
      expect(second.pids().filter(isProcessAlive)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "a busy port is named and another one taken; a busy directory is refused; orphans end",
    async () => {
      const dir = join(temporaryDir(), "cluster");
      const { httpPort, flags } = await portFlags();
      const occupant = createServer();
      await new Promise<void>((done) => occupant.listen(httpPort, "127.0.0.1", done));
      atTestEnd(() => void occupant.close());
      const run = runCluster(dir, [...flags, "--no-sample"]);
      await run.printed(
        new RegExp(`port ${httpPort} is in use, node n1 takes ${httpPort + 10} instead`),
      );
      await run.printed(READY);
      expect(run.text()).toContain(`n1  http://127.0.0.1:${httpPort + 10}\n`);
      expect(run.text()).not.toContain("sample database");

      const other = runCluster(dir, flags);
      await other.printed(/is in use by another "cairn cluster", process \d+/);
      expect(await other.exit()).toBe(1);

      expect(run.pids().filter(isProcessAlive)).toHaveLength(3);
      await run.end("SIGKILL");
      await nodesGone(run);
    },
    TIMEOUT_MS,
  );

  test(
    "a Raft port that is busy at a later start is an error that says what to do",
    async () => {
      const dir = join(temporaryDir(), "cluster");
      const { flags } = await portFlags();
      const first = runCluster(dir, ["--nodes", "1", "--no-sample", ...flags]);
      await first.printed(READY);
      expect(await first.end("SIGINT")).toBe(0);

      const raftPort = Number(flags[3]);
      const occupant = createServer();
      await new Promise<void>((done) => occupant.listen(raftPort, "127.0.0.1", done));
      atTestEnd(() => void occupant.close());
      const second = runCluster(dir, flags);
      await second.printed(new RegExp(`cairn: .*port ${raftPort} is in use, and node n1 can take`));
      expect(second.text()).toMatch(/lsof -i/);
      expect(await second.exit()).toBe(1);
    },
    TIMEOUT_MS,
  );
});
