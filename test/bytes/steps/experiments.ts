/**
 * The experiments of chapter 00, which judge nothing: what a power cut leaves of an unsynced write,
 * and what it is that killing a process does not test.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Experiment } from "#learn";
import { outcomeTable } from "./unsynced.ts";

const KILLS = 10;
const NOTE = "Bob owes Ann 20 euro\n";

/** Writes the note, syncs nothing, and kills itself as hard as a process can be killed. */
const WRITER = `
  const file = require("node:fs").openSync(process.argv[1], "w");
  require("node:fs").writeSync(file, ${JSON.stringify(NOTE)});
  process.kill(process.pid, "SIGKILL");
`;

const unsynced: Experiment = {
  about: "what 100 power cuts leave of a write without a sync",
  run(say) {
    for (const line of outcomeTable()) say(line);
  },
};

const kill: Experiment = {
  about: "a process writes a note, syncs nothing, and is killed with kill -9: what is lost?",
  run(say) {
    const dir = mkdtempSync(join(tmpdir(), "cairn-kill-"));
    try {
      let whole = 0;
      for (let round = 1; round <= KILLS; round += 1) {
        const path = join(dir, `note-${round}`);
        spawnSync(process.execPath, ["-e", WRITER, path]);
        if (readFileSync(path, "utf8") === NOTE) whole += 1;
      }
      say(`${KILLS} processes wrote a note without a sync and were killed with SIGKILL.`);
      say(`${whole} notes are whole. The page cache belongs to the kernel, which was not killed.`);
      say("So kill -9 never finds a missing sync. A power cut does: npx cairn test 00.1");
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

export const experiments: Readonly<Record<string, Experiment>> = { kill, unsynced };
