/**
 * A lock file that dies with its process.
 *
 * The file names its owner by process id and start time, since ids are used again: in a container
 * the database always has the same one. Elsewhere than on Linux the start time is unknown, and the
 * id alone decides.
 *
 * Invariant: at most one live process holds a lock. To take one, a process first writes a claim, a
 * file beside the lock that no other process writes, and links it to the lock's name, which fails
 * if that is taken. A stale lock is removed only by a process that, after its own claim was there,
 * saw no claim of another live process, and then found the lock still stale: of two processes that
 * try this at once, the later one sees the earlier one's claim. Both may give up; never do both
 * win. The claim is linked whole, so an empty lock can only come from a power cut, and is stale.
 *
 * Processes that do not see each other's ids (containers on a shared volume, network file systems)
 * are not kept apart. A production system would use a lock that the kernel ends, such as `flock`,
 * which Node does not offer.
 */
import { linkSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CairnError, type Cancel } from "#base";
import { diskError, systemCode } from "./system-error.ts";

/** Stands for a start time where the system tells none. */
const START_UNKNOWN = "-";

/** Each try fails only if another process acted in between; so many mean that something is odd. */
const TRIES_MAX = 10;

/** Fields of /proc/PID/stat behind the command: the state is field 3, the start time field 22. */
const STATE_FIELD = 3;
const START_FIELD = 22;

interface Owner {
  readonly pid: number;
  readonly start: string;
}

/**
 * Takes the lock.
 *
 * @returns what gives it back.
 * @throws `DISK_LOCKED` while a live process, this one included, holds it or is taking it.
 */
export function lockFile(path: string): Cancel {
  const owner = currentOwner();
  const content = `${owner.pid} ${owner.start}\n`;
  const claim = `${path}.${owner.pid}.${owner.start}`;
  writeClaim({ path, claim, content, self: owner });
  try {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (link(claim, path)) return releaseOnce(path, content);
      const other = readOwner(path);
      if (other === "none") continue;
      if (other !== "stale") throw locked(path, other.pid);
      assertOnlyClaim(path, claim);
      if (readOwner(path) === "stale") remove(path);
    }
  } finally {
    remove(claim);
  }
  throw new CairnError("DISK_IO", `platform: ${path}: lock changed ${TRIES_MAX} times`, {
    details: { path },
  });
}

function writeClaim(options: {
  readonly path: string;
  readonly claim: string;
  readonly content: string;
  readonly self: Owner;
}): void {
  const { path, claim, content, self } = options;
  // With a start time, a claim of this name is another thread's of this process. Without one, it
  // may as well be a dead process's, and is written over.
  const flag = self.start === START_UNKNOWN ? "w" : "wx";
  try {
    writeFileSync(claim, content, { flag });
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw locked(path, self.pid);
    throw diskError("lock", path, error);
  }
}

/** @returns whether the lock was free and is ours. */
function link(claim: string, path: string): boolean {
  try {
    linkSync(claim, path);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw diskError("lock", path, error);
  }
}

function readOwner(path: string): Owner | "none" | "stale" {
  let text: string;
  try {
    text = readFileSync(path, "latin1");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "none";
    throw diskError("lock", path, error);
  }
  const match = /^(\d{1,10}) (\d+|-)\n$/.exec(text);
  if (match === null) return "stale";
  const owner = { pid: Number(match[1]), start: match[2] ?? START_UNKNOWN };
  return isAlive(owner) ? owner : "stale";
}

/** Removes claims of the dead. @throws `DISK_LOCKED` if another process that lives has one. */
function assertOnlyClaim(path: string, own: string): void {
  const dir = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dir)) {
    if (!name.startsWith(prefix) || name === basename(own)) continue;
    const match = /^(\d{1,10})\.(\d+|-)$/.exec(name.slice(prefix.length));
    if (match === null) continue;
    const owner = { pid: Number(match[1]), start: match[2] ?? START_UNKNOWN };
    if (isAlive(owner)) throw locked(path, owner.pid);
    remove(join(dir, name));
  }
}

function releaseOnce(path: string, content: string): Cancel {
  let held = true;
  return () => {
    // A second call must not release what this process has taken again since.
    if (held) release(path, content);
    held = false;
  };
}

function release(path: string, content: string): void {
  try {
    if (readFileSync(path, "latin1") !== content) return;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw diskError("unlock", path, error);
  }
  remove(path);
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw diskError("unlock", path, error);
  }
}

/** This process, once it is known: it does not change. */
let self: Owner | undefined;

function currentOwner(): Owner {
  const { pid } = process;
  self ??= { pid, start: processFacts(pid)?.start ?? START_UNKNOWN };
  return self;
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // Anything but "no such process", such as "not permitted", means that it is there.
    if (systemCode(error) === "ESRCH") return false;
  }
  const facts = processFacts(owner.pid);
  if (facts === undefined) return true;
  // A zombie has closed its files; only its parent has not asked yet how it ended.
  if (facts.state === "Z") return false;
  return owner.start === START_UNKNOWN || facts.start === owner.start;
}

/** Linux only: state and start time (ticks since boot); undefined where unknown. */
function processFacts(pid: number): { state: string; start: string } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    // No such file system, or the process ended just now: then the id alone has to do.
    return undefined;
  }
  // The command is in parentheses and may contain some, and spaces: the last one ends it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  const start = fields[START_FIELD - STATE_FIELD];
  return state === undefined || start === undefined ? undefined : { state, start };
}

function locked(path: string, pid: number): CairnError {
  return new CairnError("DISK_LOCKED", `platform: ${path}: locked by process ${pid}`, {
    details: { path, pid },
  });
}
