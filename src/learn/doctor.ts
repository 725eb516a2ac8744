/**
 * `cairn doctor`: is everything here that the workbook needs? Each finding says what to do.
 *
 * Invariant: looking leaves nothing behind.
 */
import { spawnSync } from "node:child_process";
import { errorText } from "#base";
import type { Book } from "./book.ts";
import { createFile, join, readText, writeText } from "./files.ts";
import { readProgress } from "./progress.ts";
import type { ExitCode, Runner } from "./runner.ts";

/** `engines` of package.json. */
const NODE_MIN: readonly [number, number] = [20, 19];
/** The simulated disks live in memory; benches and clusters write some hundred megabytes. */
const FREE_BYTES_MIN = 1024 * 1024 * 1024;
const MIB = 1024 * 1024;
const PROBE_MS_MAX = 20_000;

/** One thing that was looked at. */
export interface Finding {
  readonly isFine: boolean;
  /** It does not stop a reader now. */
  readonly isOnlyNeededLater?: boolean;
  readonly text: string;
  /** What to do if it is not fine. */
  readonly advice?: string;
}

/** Runs `cairn doctor`. */
export function doctorCommand(runner: Runner): ExitCode {
  const { book, out } = runner;
  const findings = [...quickFindings(book), ...probeFindings(book), gitFinding(), progress(book)];
  for (const finding of findings) sayFinding(runner, finding);
  const bad = findings.filter(({ isFine, isOnlyNeededLater }) => !isFine && !isOnlyNeededLater);
  out.say();
  if (bad.length > 0) {
    out.say(out.style.paint("bad", "Mend what is marked, then run npx cairn doctor again."));
    return 1;
  }
  out.say(out.style.paint("good", "Ready. Nothing here needs a network or an account."));
  return 0;
}

/** Prints one finding. */
export function sayFinding({ out }: Runner, finding: Finding): void {
  const mark = finding.isFine
    ? out.style.paint("good", "✓")
    : out.style.paint(finding.isOnlyNeededLater === true ? "waiting" : "bad", "✗");
  out.say(`  ${mark} ${finding.text}`);
  if (!finding.isFine && finding.advice !== undefined) out.say(`      ${finding.advice}`);
}

/** What `cairn start` looks at: takes no time. */
export function quickFindings(book: Book): Finding[] {
  return [nodeVersion(process.versions.node), packages(book), writable(book)];
}

/** Is a version of Node new enough? */
export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isFine = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return {
    isFine,
    text: `Node ${version}`,
    advice: `The workbook needs Node ${NODE_MIN.join(".")} or later: https://nodejs.org`,
  };
}

function packages(book: Book): Finding {
  return {
    isFine: book.disk.exists(join(book.root, "node_modules/tsx/package.json")),
    text: "packages are installed",
    advice: "Run npm install in the repository.",
  };
}

/** Writes, changes and reads a file: the watch mode sees a change by reading. */
function writable(book: Book): Finding {
  const folder = join(book.root, "work");
  const path = join(folder, ".cairn-probe");
  try {
    book.disk.makeDir(folder);
    if (book.disk.exists(path)) book.disk.unlink(path);
    createFile(book.disk, path, new TextEncoder().encode("one"));
    writeText(book.disk, path, "two");
    const isSeen = readText(book.disk, path) === "two";
    book.disk.unlink(path);
    return { isFine: isSeen, text: "work/ can be written, and a change is seen" };
  } catch (error) {
    return {
      isFine: false,
      text: `work/ cannot be written: ${errorText(error)}`,
      advice: `Make ${folder} writable for you, or clone the repository into your home.`,
    };
  }
}

interface Probe {
  readonly freeBytes: number;
  readonly sqlite: { readonly version?: string; readonly problem?: string };
}

function probeFindings(book: Book): Finding[] {
  const probe = spawnSync(
    process.execPath,
    ["--conditions=source", "--import", "tsx", join(book.root, "test/support/doctor-main.ts")],
    { cwd: book.root, encoding: "utf8", timeout: PROBE_MS_MAX, windowsHide: true },
  );
  if (probe.status !== 0) {
    const last = probe.stderr.trim().split("\n").at(-1) ?? "";
    return [
      {
        isFine: false,
        text: `TypeScript cannot be run here: ${last}`,
        advice: "Remove node_modules and run npm install.",
      },
    ];
  }
  const { freeBytes, sqlite } = JSON.parse(probe.stdout) as Probe;
  return [
    { isFine: true, text: "TypeScript runs without a build" },
    {
      isFine: sqlite.version !== undefined,
      isOnlyNeededLater: true,
      text:
        sqlite.version === undefined
          ? `better-sqlite3 does not load: ${sqlite.problem ?? ""}`
          : `SQLite ${sqlite.version} loads`,
      advice:
        "Chapters 00 to 04 do not need it; cairn run and cairn cluster do. Run npm rebuild " +
        "better-sqlite3: without a ready-made binding it takes a C++ compiler, make and Python 3.",
    },
    {
      isFine: freeBytes >= FREE_BYTES_MIN,
      isOnlyNeededLater: true,
      text: `${Math.floor(freeBytes / MIB)} MiB of disk are free`,
      advice: "Benchmarks and clusters want 1024 MiB.",
    },
  ];
}

function gitFinding(): Finding {
  const git = spawnSync("git", ["--version"], { encoding: "utf8", windowsHide: true });
  const isFine = git.status === 0;
  return {
    isFine,
    isOnlyNeededLater: true,
    text: isFine ? git.stdout.trim() : "git is not found",
    advice: "It is needed for cairn diff, and for cairn start --git.",
  };
}

function progress(book: Book): Finding {
  try {
    readProgress(book);
    return { isFine: true, text: "progress can be read" };
  } catch (error) {
    const [text = "", advice = ""] = errorText(error).split("\n");
    return { isFine: false, text, advice };
  }
}
