/**
 * What only the real disk can do wrong: missing permissions, odd devices, locks of other processes.
 *
 * Method: real files in a fresh directory; other processes are real ones. The superuser is refused
 * nothing, so the test of permissions becomes somebody else where it runs as the superuser.
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isCairnError } from "#base";
import { createNodeDisk } from "#platform";
import { expectDiskError, makeFile, readAll, text } from "./disk-contract.ts";

const isSuperuser = process.getuid?.() === 0;
const isLinux = process.platform === "linux";

/** The user that owns nothing, on every system that has one. */
const NOBODY = 65534;

/** Gives up the superuser's rights for now. @returns false where a thread cannot do that. */
function becomeNobody(): boolean {
  try {
    process.seteuid?.(NOBODY);
    return process.geteuid?.() === NOBODY;
  } catch (error) {
    console.warn("cannot test permissions as the superuser:", error);
    return false;
  }
}

/** Takes the lock that its argument names, says so, and holds it until it is killed. */
const LOCKER = `
  import { createNodeDisk } from "#platform";
  try {
    createNodeDisk().lock(process.argv[1]);
    console.log("locked");
    setInterval(() => undefined, 1000);
  } catch (error) {
    console.log(error.code);
  }
`;

/** When told so, takes the locks `prefix0`, `prefix1` and so on; prints which it got. */
const RACER = `
  import { createNodeDisk } from "#platform";
  const [prefix, count] = process.argv.slice(1);
  process.stdin.once("data", () => {
    const won = [];
    for (let number = 0; number < Number(count); number += 1) {
      try {
        createNodeDisk().lock(prefix + number);
        won.push(number);
      } catch (error) {
        if (error.code !== "DISK_LOCKED") throw error;
      }
    }
    console.log(JSON.stringify(won));
  });
  console.log("ready");
`;

let dir = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-node-disk-"));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  chmodSync(dir, 0o700);
  rmSync(dir, { recursive: true });
});

/** Runs a program of ours in a process that ends with the test at the latest. */
function run(program: string, ...values: string[]): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(
    process.execPath,
    ["--conditions=source", "--import=tsx", "--input-type=module", "-e", program, ...values],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  children.push(child);
  return child;
}

/** The next text that a process prints. */
async function said(child: ChildProcessByStdio<Writable, Readable, null>): Promise<string> {
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return chunk.toString().trim();
}

test("a directory without permission is read-only, and says which", (context) => {
  const disk = createNodeDisk();
  makeFile(disk, `${dir}/a`, text("abc"));
  chmodSync(dir, 0o555);
  if (isSuperuser && !becomeNobody()) context.skip("the superuser is refused nothing");
  try {
    const path = `${dir}/b`;
    expectDiskError(() => disk.open(path, "create-new"), "DISK_READ_ONLY", path);
    expectDiskError(() => disk.unlink(`${dir}/a`), "DISK_READ_ONLY", `${dir}/a`);
    expectDiskError(() => disk.rename(`${dir}/a`, path), "DISK_READ_ONLY", path);
    expectDiskError(() => disk.makeDir(`${dir}/sub`), "DISK_READ_ONLY", `${dir}/sub`);
    expectDiskError(() => disk.lock(`${dir}/LOCK`), "DISK_READ_ONLY", `${dir}/LOCK`);
  } finally {
    if (isSuperuser) process.seteuid?.(0);
  }
});

test.runIf(isLinux && existsSync("/proc/version"))("a read-only file system says so", () => {
  const disk = createNodeDisk();
  const path = "/proc/version";
  const read = disk.open(path, "read");
  expect(read.read(0, new Uint8Array(5))).toBe(5);
  read.close();
  // Whoever asks, the kernel's own tables take no new files.
  expect(() => disk.open("/proc/cairn", "create-new")).toThrow("/proc/cairn: open: ");
});

test.runIf(isLinux && existsSync("/dev/full"))("a full device says so, at a write", () => {
  const file = createNodeDisk().open("/dev/full", "read-write");
  expectDiskError(() => file.write(0, text("abc")), "DISK_FULL", "/dev/full");
  file.close();
});

test("an error carries the system's name and words for it", () => {
  let thrown: unknown;
  try {
    createNodeDisk().open(`${dir}/none`, "read");
  } catch (error) {
    thrown = error;
  }
  if (!isCairnError(thrown)) throw new Error("expected an error of ours");
  expect(thrown.message).toBe(`platform: ${dir}/none: open: no such file or directory (ENOENT)`);
  expect(thrown.details).toEqual({ path: `${dir}/none`, operation: "open", errno: "ENOENT" });
  expect(thrown.cause).toBeInstanceOf(Error);
});

test("files are there for the next process, with their owner's permissions", () => {
  const disk = createNodeDisk();
  disk.makeDir(`${dir}/a/b`);
  makeFile(disk, `${dir}/a/b/c`, text("abc"));
  disk.syncDir(`${dir}/a/b`);
  expect(readFileSync(`${dir}/a/b/c`, "utf8")).toBe("abc");
  expect(statSync(`${dir}/a/b/c`).mode & 0o600).toBe(0o600);
});

test("a write of many megabytes arrives whole", () => {
  const disk = createNodeDisk();
  const bytes = new Uint8Array(20 * 1024 * 1024).map((_, index) => index % 251);
  makeFile(disk, `${dir}/a`, bytes);
  const file = disk.open(`${dir}/a`, "read");
  expect(Buffer.compare(readAll(file), bytes)).toBe(0);
  file.close();
});

test("a lock of a live process is refused with its id, and free when it was killed", async () => {
  const disk = createNodeDisk();
  const path = `${dir}/LOCK`;
  const child = run(LOCKER, path);
  expect(await said(child)).toBe("locked");
  let thrown: unknown;
  try {
    disk.lock(path);
  } catch (error) {
    thrown = error;
  }
  if (!isCairnError(thrown, "DISK_LOCKED")) throw new Error(`expected DISK_LOCKED: ${thrown}`);
  expect(thrown.message).toBe(`platform: ${path}: locked by process ${child.pid}`);
  expect(thrown.details).toEqual({ path, pid: child.pid });
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  expect(readdirSync(dir)).toEqual(["LOCK"]);
  const unlock = disk.lock(path);
  expect(await said(run(LOCKER, path))).toBe("DISK_LOCKED");
  unlock();
  expect(readdirSync(dir)).toEqual([]);
});

test("of processes that find stale locks at once, at most one gets each", async () => {
  const locks = 100;
  for (let number = 0; number < locks; number += 1) {
    writeFileSync(`${dir}/LOCK-${number}`, "999999999 1\n");
  }
  const racers = [1, 2, 3].map(() => run(RACER, `${dir}/LOCK-`, `${locks}`));
  for (const ready of await Promise.all(racers.map(said))) expect(ready).toBe("ready");
  // Nobody ends before all are done: a lock of the dead would be free again.
  const answers = racers.map(said);
  for (const racer of racers) racer.stdin.write("go");
  const won = (await Promise.all(answers)).flatMap((answer) => JSON.parse(answer) as number[]);
  expect(new Set(won).size).toBe(won.length);
  // Those that clash may both give up, but most locks are taken.
  expect(won.length).toBeGreaterThan(0);
});

test.each([
  ["a process that is gone", "999999999 1\n"],
  ["nobody, after a power cut", ""],
  ["nobody, zeros after a power cut", "\0\0\0\0\0\0"],
  ["nobody, by its text", "no lock of ours\n"],
])("a lock of %s is replaced", (_, content) => {
  const path = `${dir}/LOCK`;
  writeFileSync(path, content);
  writeFileSync(`${path}.999999998.1`, "left by a process that was killed");
  const unlock = createNodeDisk().lock(path);
  expect(readFileSync(path, "latin1")).toMatch(new RegExp(`^${process.pid} `));
  expect(readdirSync(dir)).toEqual(["LOCK"]);
  unlock();
});

test.runIf(isLinux)("a lock whose owner's id was given to another process is replaced", () => {
  const path = `${dir}/LOCK`;
  writeFileSync(path, `${process.pid} 1\n`);
  createNodeDisk().lock(path)();
  expect(readdirSync(dir)).toEqual([]);
});

test("where start times are unknown, the id of a live process is enough", () => {
  const path = `${dir}/LOCK`;
  writeFileSync(path, `${process.ppid} -\n`);
  expectDiskError(() => createNodeDisk().lock(path), "DISK_LOCKED", path);
  expect(readdirSync(dir)).toEqual(["LOCK"]);
});

test("a claim of another live process keeps a stale lock from being replaced", () => {
  const path = `${dir}/LOCK`;
  writeFileSync(path, "999999999 1\n");
  writeFileSync(`${path}.${process.ppid}.-`, "");
  expectDiskError(() => createNodeDisk().lock(path), "DISK_LOCKED", path);
  expect(readFileSync(path, "latin1")).toBe("999999999 1\n");
});

test("a directory that the file system will not make is an error, not a hang", (context) => {
  if (!createNodeDisk().exists("/proc/self")) context.skip("this system has no /proc");
  const path = "/proc/cairn/data";
  expectDiskError(() => createNodeDisk().makeDir(path), "DISK_NOT_FOUND", "/proc/cairn");
});
