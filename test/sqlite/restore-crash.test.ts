/**
 * SIGKILL while a copy takes the place of the database. Method: a child process installs two copies
 * in turns and is killed at some moment that chance picks; the file must then be the old state or
 * the new one, whole, and installing again must finish.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { seededRandom } from "#platform";
import { openSqliteMachine } from "#sqlite";
import type { SqliteMachine } from "#sqlite/types";
import { scaled } from "../support/seeds.ts";
import { historyEntry } from "./crash-history.ts";

const CHILD = fileURLToPath(new URL("./restore-child.ts", import.meta.url));
const FIRST = 30;
const SECOND = 400;

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-restore-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const hexOf = (machine: SqliteMachine): string => Buffer.from(machine.digest()).toString("hex");

/** A machine at an index, its copy, and its digest. */
async function copyAt(index: number): Promise<{ file: string; digest: string }> {
  const machine = openSqliteMachine({ path: join(dir, `source-${index}`) });
  for (let at = 1; at <= index; at += 1) machine.applyBatch([historyEntry(at)]);
  const file = join(dir, `copy-${index}`);
  await machine.snapshot(file);
  const digest = hexOf(machine);
  machine.close();
  return { file, digest };
}

/** Runs the child, and kills it a moment after so many lines. @returns what it said. */
async function installAndKill(args: string[], lines: number, delayMs: number): Promise<string[]> {
  const options = ["--import", "tsx", "--conditions=source", CHILD, ...args];
  const child = spawn(process.execPath, options, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length !== lines) continue;
    // Nothing waits for it: the moment of the kill is what chance picks here.
    setTimeout(() => child.kill("SIGKILL"), delayMs);
  }
  await closed;
  return said;
}

test("a killed installation leaves old or new, and can be done again", async () => {
  const copies: Readonly<Record<number, { file: string; digest: string }>> = {
    [FIRST]: await copyAt(FIRST),
    [SECOND]: await copyAt(SECOND),
  };
  const random = seededRandom(5);
  const seen = new Set<string>();
  for (let round = 0; round < scaled(6); round += 1) {
    const path = join(dir, `db-${round}`);
    const args = [path, copies[FIRST]!.file, `${FIRST}`, copies[SECOND]!.file, `${SECOND}`];
    const lines = 1 + random.below(12);
    const said = await installAndKill(args, lines, random.below(8));
    const where = `seed 5, round ${round}, said ${said.join(", ")}`;
    const machine = openSqliteMachine({ path });
    const index = machine.appliedIndex();
    const last = (said.at(-1) ?? "").split(" ").map(Number);
    expect(last, where).toContain(index);
    const digest = copies[index]?.digest;
    if (index !== 0) expect(hexOf(machine), where).toBe(digest);
    const checked = new Database(path, { readonly: true });
    expect(checked.pragma("integrity_check", { simple: true }), where).toBe("ok");
    checked.close();
    for (const to of [FIRST, SECOND]) {
      const incoming = `${path}.in-${to}`;
      if (!existsSync(incoming)) continue;
      seen.add(index === to ? "new" : "old");
      machine.restore(incoming, to);
      expect(machine.appliedIndex(), where).toBe(to);
      expect(hexOf(machine), where).toBe(copies[to]!.digest);
    }
    machine.close();
  }
  // Chance must have met installations that were not over.
  expect(seen.size).toBeGreaterThan(0);
});
