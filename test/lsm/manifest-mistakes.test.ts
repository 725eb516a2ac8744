/**
 * The tests of the manifest's crash tests: each planted mistake must be caught, by the check and
 * the history that are named for it. The manifest as it is passes them in manifest-crash.test.ts.
 */
import { expect, test } from "vitest";
import { type Patch, plantMistake } from "../support/plant.ts";
import { manifestFaults, manifestPowerCuts } from "./manifest-checks.ts";
import { type ManifestSubject, ManifestViolation, manifestHistories } from "./manifest-lab.ts";

interface Mistake extends Patch {
  readonly name: string;
  readonly check: typeof manifestPowerCuts;
  /** Position in `manifestHistories`. */
  readonly history: number;
}

const SEEDS = 6;

const mistakes: readonly Mistake[] = [
  {
    name: "an edit is not synced",
    check: manifestPowerCuts,
    history: 0,
    file: "manifest.ts",
    from: "wal.append(payload);\n      wal.sync();",
    to: "wal.append(payload);",
  },
  {
    name: "an edit is adopted before it is durable",
    check: manifestFaults,
    history: 0,
    file: "manifest.ts",
    from: "await this.#file.wal.commit(payload);\n      this.#state = next;",
    to: "this.#state = next;\n      await this.#file.wal.commit(payload);",
  },
  {
    name: "after a failed sync the same file goes on",
    check: manifestFaults,
    history: 0,
    file: "manifest.ts",
    from: "      this.#isDoubtful = true;\n      throw error;\n    }\n    this.#state = next;",
    to: `      const path = manifestPath(this.#dir, this.#file.number);
      this.#file = { ...this.#file, wal: openLog(this.#disk, path).wal };
      throw error;
    }
    this.#state = next;`,
  },
  {
    name: "CURRENT is turned before the snapshot is durable",
    check: manifestPowerCuts,
    history: 1,
    file: "manifest.ts",
    from: "wal.append(snapshot);\n    wal.sync();",
    to: "wal.append(snapshot);\n    wal.flush();",
  },
  {
    name: "a CURRENT whose turning failed is trusted",
    check: manifestFaults,
    history: 1,
    file: "manifest.ts",
    from: "if (begun === null) this.#isDoubtful = isDoubtful;",
    to: "this.#isDoubtful = isDoubtful;",
  },
  {
    name: "opening does not sync the name of CURRENT",
    check: manifestPowerCuts,
    history: 0,
    file: "manifest.ts",
    from: "  if (scan.records === 1) disk.syncDir(dir);\n  numbers.raise",
    to: "  numbers.raise",
  },
  {
    name: "the old manifest goes before CURRENT is turned",
    check: manifestPowerCuts,
    history: 1,
    file: "manifest.ts",
    from: "      this.#isDoubtful = true;\n      writeCurrent",
    to: `      removeManifest(this.#disk, manifestPath(this.#dir, this.#file.number));
      this.#isDoubtful = true;
      writeCurrent`,
  },
  {
    name: "CURRENT is written in place",
    check: manifestPowerCuts,
    history: 1,
    file: "current-file.ts",
    from: "replaceFile(disk, currentPath(dir), bytes);",
    to: `const handle = disk.open(currentPath(dir), "read-write");
  handle.write(0, bytes);
  handle.sync();
  disk.syncDir(dir);`,
  },
  {
    name: "a snapshot forgets the place in the log",
    check: manifestPowerCuts,
    history: 1,
    file: "edit-codec.ts",
    from: "remove: [], add, logNumber, logFrom, nextNumber",
    to: "remove: [], add, logNumber, logFrom: 1, nextNumber",
  },
];

test.each(mistakes)("04.4 caught: $name", async ({ check, history, ...patch }) => {
  const planted = await plantMistake<ManifestSubject>("lsm", [patch]);
  const subject = { openManifest: planted.openManifest };
  const run = check(subject, manifestHistories[history]!, SEEDS);
  await expect(run, "it went unnoticed").rejects.toThrow(ManifestViolation);
});
