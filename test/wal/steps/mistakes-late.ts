/**
 * What readers get wrong in steps 01.7 to 01.9, as patches on the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

export const lateMistakes: readonly StepMistake[] = [
  {
    name: "one sync for each commit",
    step: "01.7",
    caughtBy: "64 commits in one turn share at most two syncs",
    rule: "W2",
    patches: [
      {
        file: "group-commit.ts",
        from: "      syncing = gathering;\n      gathering = [];",
        to: "      syncing = gathering.splice(0, 1);",
      },
      {
        file: "log.ts",
        from: "    if (this.durableLsn === this.nextLsn - 1) return;\n    this.#flightUpTo",
        to: "    this.#flightUpTo",
      },
    ],
  },
  {
    name: "the first commit of a round does not wait for the others",
    step: "01.7",
    caughtBy: "64 callers that go on committing share their syncs round after round",
    rule: "W2",
    patches: [
      {
        file: "group-commit.ts",
        from: "      syncing = gathering;\n      gathering = [];",
        to: "      syncing = gathering.splice(0, 8);",
      },
      {
        file: "log.ts",
        from: "    if (this.durableLsn === this.nextLsn - 1) return;\n    this.#flightUpTo",
        to: "    this.#flightUpTo",
      },
    ],
  },
  {
    name: "a group is answered before its sync",
    step: "01.7",
    caughtBy: "no commit resolves before a sync has covered its bytes",
    rule: "W2",
    patches: [
      {
        file: "group-commit.ts",
        from: "        await sync();\n        for (const waiter of syncing) waiter.resolve();",
        to: "        for (const waiter of syncing) waiter.resolve();\n        await sync();",
      },
    ],
  },
  {
    name: "latecomers ride on the sync that is under way",
    step: "01.7",
    caughtBy: "a commit that comes while a sync is under way waits for the next one",
    rule: "W2",
    patches: [
      {
        file: "group-commit.ts",
        from: "      syncing = gathering;\n      gathering = [];",
        to: "      syncing = gathering;",
      },
      {
        file: "group-commit.ts",
        from: "      syncing = [];\n    }",
        to: "      syncing = [];\n      gathering = [];\n    }",
      },
    ],
  },
  {
    name: "durableLsn takes in what was appended during the sync",
    step: "01.7",
    caughtBy: "a commit that comes while a sync is under way waits for the next one",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "this.durableLsn = Math.max(this.durableLsn, this.#flightUpTo);",
        to: "this.durableLsn = this.nextLsn - 1;",
      },
    ],
  },
  {
    name: "the last to come is answered first",
    step: "01.7",
    caughtBy: "commits resolve in the order of their numbers",
    rule: "W1",
    patches: [
      {
        file: "group-commit.ts",
        from: "for (const waiter of syncing) waiter.resolve();",
        to: "for (const waiter of syncing.reverse()) waiter.resolve();",
      },
    ],
  },
  {
    name: "only the first of a group hears of the failure",
    step: "01.7",
    caughtBy: "a sync that fails rejects everybody who waited for it",
    rule: "W7",
    patches: [
      {
        file: "group-commit.ts",
        from: "for (const waiter of syncing) waiter.reject(error);",
        to: "syncing[0]?.reject(error);",
      },
    ],
  },
  {
    name: "who still waits at close is turned away",
    step: "01.7",
    caughtBy: "a log that is being closed serves those who still wait",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "    if (this.#guard.isPoisoned) this.#guard.check();\n    if (this.durableLsn",
        to: "    this.#guard.check();\n    if (this.durableLsn",
      },
    ],
  },
  {
    name: "a failed sync is tried again",
    step: "01.8",
    caughtBy: "after a failed sync, nothing is acknowledged that a power cut can take",
    rule: "W7",
    trap: "T6",
    patches: [
      {
        file: "log.ts",
        from: "    this.#handle.sync();\n    this.durable",
        to: `    try {
      this.#handle.sync();
    } catch {
      // Perhaps it was a hiccup.
      this.#handle.sync();
    }
    this.durable`,
      },
    ],
  },
  {
    name: "the failure is thrown, and forgotten",
    step: "01.8",
    caughtBy:
      "after a failed sync, append, sync and commit are refused until the log is opened again",
    rule: "W7",
    trap: "T6",
    patches: [
      {
        file: "guard.ts",
        from: "        return work();\n      } catch (cause) {\n        poison ??= { cause };",
        to: "        return work();\n      } catch (cause) {",
      },
    ],
  },
  {
    name: "only a blocking sync poisons the log",
    step: "01.8",
    caughtBy: "a commit that failed poisons the log like a sync that failed",
    rule: "W7",
    patches: [
      {
        file: "guard.ts",
        from: "return await work();\n      } catch (cause) {\n        poison ??= { cause };",
        to: "return await work();\n      } catch (cause) {",
      },
    ],
  },
  {
    name: "a failed write does not poison the log",
    step: "01.8",
    caughtBy: "after a failed append, no number is given twice",
    rule: "W7",
    trap: "T6",
    patches: [
      {
        file: "log.ts",
        from: "return this.#guard.run(() => this.#write(payload));",
        to: "return this.#write(payload);",
      },
    ],
  },
  {
    name: "recovery believes the page cache after a failed sync",
    step: "01.8",
    caughtBy: "a process that is started again does not believe what is in memory only",
    rule: "W7",
    patches: [
      { file: "recovery.ts", from: "  rewrite(handle, segment, scan.watermark);\n", to: "" },
    ],
  },
  {
    name: "the newest segment is removed first",
    step: "01.9",
    caughtBy: "whenever the power is cut while the past is forgotten, no hole is left",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "      for (const path of paths) {",
        to: "      for (const path of [...paths].reverse()) {",
      },
    ],
  },
  {
    name: "all removals share one sync of the directory",
    step: "01.9",
    caughtBy: "whenever the power is cut while the past is forgotten, no hole is left",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "        disk.unlink(path);\n",
        to: "        disk.unlink(path);\n        if (path !== paths.at(-1)) continue;\n",
      },
    ],
  },
  {
    name: "a segment goes although its last record is still needed",
    step: "01.9",
    caughtBy: "everything from the given number on is kept, and whole segments below it go",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "this.#segments[1]!.firstLsn <= lsn",
        to: "this.#segments[0]!.firstLsn <= lsn",
      },
    ],
  },
  {
    name: "it forgets what is not durable",
    step: "01.9",
    caughtBy: "asked to forget what is not durable, it refuses",
    rule: "W9",
    patches: [{ file: "log.ts", from: "lsn >= 0 && lsn <= this.durableLsn + 1", to: "lsn >= 0" }],
  },
  {
    name: "a cut removes files before the new segment decides",
    step: "01.9",
    caughtBy: "whenever the power is cut, the end is there as it was or is gone as asked",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "    const made = makeSegment(this.#settings, this.#last.number + 1, lsn + 1);\n",
        to: `    for (const { firstLsn, path } of this.#segments) {
      if (firstLsn > lsn) this.#settings.disk.unlink(path);
    }
    const made = makeSegment(this.#settings, this.#last.number + 1, lsn + 1);\n`,
      },
      {
        file: "log.ts",
        from: "    for (const { path } of obsolete) this.#settings.disk.unlink(path);\n",
        to: "",
      },
    ],
  },
  {
    name: "segments behind the cut count again when they come back",
    step: "01.9",
    caughtBy: "whenever the power is cut, the end is there as it was or is gone as asked",
    rule: "W9",
    patches: [
      {
        file: "segment.ts",
        from: "found.slice(index + 1).every((later) => later.firstLsn > segment.firstLsn);",
        to: "index >= 0 && segment.number > 0;",
      },
    ],
  },
  {
    name: "what stays below a cut is not synced first",
    step: "01.9",
    caughtBy: "whenever the power is cut around a cut, no record below it leaves a hole",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "    this.#syncNow();\n    const made",
        to: "    const made",
      },
    ],
  },
  {
    name: "a commit resolves although its record was cut off",
    step: "01.9",
    caughtBy: "a commit whose record is cut off while it waits is rejected",
    rule: "W2",
    patches: [{ file: "log.ts", from: "    this.#group.cut(lsn);\n", to: "" }],
  },
];
