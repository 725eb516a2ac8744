/**
 * Sends the rows of the tables and compares the answers.
 *
 * Invariant: before each row the database is empty on the node that is asked, and its counters are
 * as those of a new one.
 */

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "vitest";
import type { RunningNode } from "#server/types";
import { waitUntil } from "../../support/processes.ts";
import { ask, type HttpReply } from "../../support/raw-http.ts";
import type { CompatCase } from "./case.ts";

/** The nodes that a row meets. */
export interface CaseNodes {
  readonly asked: RunningNode;
  readonly leader: RunningNode;
}

let emptyFile: Buffer | undefined;

/** An empty database as a file: loading it brings a node back to the start. */
function emptyDatabase(dir: string): Buffer {
  if (emptyFile === undefined) {
    const path = join(dir, "empty.sqlite");
    const database = new Database(path);
    database.exec("CREATE TABLE t (n); DROP TABLE t");
    database.close();
    emptyFile = readFileSync(path);
    rmSync(path);
  }
  return emptyFile;
}

/** Empties the database, runs the row's setup, and waits until the node that is asked has it. */
async function prepare({ asked, leader }: CaseNodes, dir: string, row: CompatCase): Promise<void> {
  const send = async (path: string, body: string | Buffer): Promise<void> => {
    const { status, text } = await ask(leader.httpAddress, path, { body });
    if (status !== 200 || text.includes('"error"')) throw new Error(`${path}: ${status} ${text}`);
  };
  await send("/db/load", emptyDatabase(dir));
  for (const sql of row.setup ?? []) {
    await send("/db/execute", sql.startsWith("[") ? sql : JSON.stringify([sql]));
  }
  if (asked === leader) return;
  const applied = async (node: RunningNode): Promise<unknown> => {
    const store = (await node.service.status())["store"];
    return (store as { db_applied_index: number }).db_applied_index;
  };
  const index = await applied(leader);
  await waitUntil("the follower has it", async () => {
    return (await applied(asked)) === index ? true : undefined;
  });
}

/** Sends the request of a row. */
export function sendCase(node: RunningNode, row: CompatCase): Promise<HttpReply> {
  const [method = "", target = ""] = row.request.split(/ (.*)/s);
  const isRaw = typeof row.body === "string" || row.body instanceof Uint8Array;
  const body = isRaw ? (row.body as string | Uint8Array) : jsonOf(row.body);
  const type = row.type ?? (body === undefined ? undefined : "application/json");
  const headers = {
    ...(type === undefined ? {} : { "content-type": type }),
    ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
  };
  return ask(node.httpAddress, target, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

function jsonOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Sends a row and compares status, headers and body. */
export async function runCase(nodes: CaseNodes, dir: string, row: CompatCase): Promise<void> {
  await prepare(nodes, dir, row);
  const reply = await sendCase(nodes.asked, row);
  const { status = 200, answer, headers = {} } = row;
  if (typeof answer === "string") expect(reply.text).toBe(answer);
  else expect(reply.text).toMatch(answer);
  expect(reply.status).toBe(status);
  expect(reply.headers["x-rqlite-version"]).toBe("v10.3.0");
  for (const [name, value] of Object.entries(headers)) {
    if (value === null) expect(reply.headers[name], name).toBeUndefined();
    else if (typeof value === "string") expect(reply.headers[name], name).toBe(value);
    else expect(reply.headers[name], name).toMatch(value);
  }
}
