/**
 * A database of 500 MB goes in through `/boot` and out through `/backup`, and the process that
 * holds it stays small. Method: a real process, whose largest resident size the kernel tells.
 */

import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { digestDatabase } from "#sqlite";
import { startCluster } from "../../support/cluster.ts";
import { temporaryDir } from "../../support/processes.ts";

const MEGABYTE = 1_000_000;
const FILE_BYTES_MIN = 500 * MEGABYTE;
const RESIDENT_BYTES_MAX = 300 * MEGABYTE;
const ROWS = 128_000;
const ROW_BYTES = 3900;

function makeDatabase(path: string): void {
  const database = new Database(path);
  database.pragma("journal_mode = OFF");
  database.pragma("synchronous = OFF");
  database.exec("CREATE TABLE big (id INTEGER PRIMARY KEY, body BLOB)");
  database
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO big SELECT i, randomblob(?) FROM n`,
    )
    .run(ROWS, ROW_BYTES);
  database.close();
}

/** Sends a file as a body, in pieces. @returns the status. */
async function sendFile(url: string, path: string): Promise<number> {
  const sending = request(url, { method: "POST" });
  const answered = new Promise<number>((resolve, reject) => {
    sending.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sending.on("error", reject);
  });
  await pipeline(createReadStream(path), sending);
  return answered;
}

async function fetchFile(url: string, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request(url, (response) => {
      pipeline(response, createWriteStream(path)).then(resolve, reject);
    })
      .on("error", reject)
      .end();
  });
}

/** The largest resident size that a process has had, in bytes. */
function residentBytesMax(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) * 1024;
}

test.runIf(process.platform === "linux")(
  "500 MB are booted and backed up in less than 300 MB of memory",
  { timeout: 400_000 },
  async () => {
    const dir = temporaryDir();
    const [file, copy] = [join(dir, "large.sqlite"), join(dir, "copy.sqlite")];
    makeDatabase(file);
    expect(statSync(file).size).toBeGreaterThan(FILE_BYTES_MIN);
    const cluster = await startCluster({ nodes: 1 });
    const [node] = cluster.nodes;
    if (node === undefined) throw new Error("one node was asked for");
    expect(await sendFile(`${node.url}/boot`, file)).toBe(200);
    expect(await cluster.rows(node, "SELECT max(id) FROM big")).toEqual([[ROWS]]);
    await fetchFile(`${node.url}/db/backup`, copy);
    expect(residentBytesMax(node.pid)).toBeLessThan(RESIDENT_BYTES_MAX);
    expect(digestDatabase(copy)).toBe(digestDatabase(file));
    await cluster.stopAll();
  },
);
