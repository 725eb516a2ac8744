/**
 * What nearly works in steps 01.6 to 01.9, as patches on the chapter's solution: logs that pass
 * every check that looks at one call after the other. Found by a reader who left them out.
 */
import type { StepMistake } from "../../support/four-way.ts";

export const unseenMistakes: readonly StepMistake[] = [
  {
    name: "openWal believes the name of the last segment",
    step: "01.6",
    caughtBy: "a segment that a killed process has made is durable before it takes a record",
    rule: "W9",
    patches: [{ file: "open.ts", from: "  settings.disk.syncDir(settings.dir);\n", to: "" }],
  },
  {
    name: "a segment that was only begun seals nothing",
    step: "01.6",
    caughtBy: "damage before a segment that was only begun is refused as well",
    rule: "W6",
    patches: [
      { file: "open.ts", from: "before !== null || unfinished !== null;", to: "before !== null;" },
    ],
  },
  {
    name: "a segment that holds nothing is the beginning of a log, whatever its number",
    step: "01.6",
    caughtBy: "a log of which only a segment is left that holds nothing is refused",
    rule: "W6",
    patches: [{ file: "segment.ts", from: "unfinished > 1)", to: "unfinished < 1)" }],
  },
  {
    name: "the old segment stays open when the log rolls",
    step: "01.6",
    caughtBy: "a log that was closed leaves no file open",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "    this.#handle.close();\n    this.#segments.push",
        to: "    this.#segments.push",
      },
    ],
  },
  {
    name: "an older sync moves durableLsn back",
    step: "01.7",
    caughtBy: "durableLsn never goes back when an older sync ends",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "Math.max(this.durableLsn, this.#flightUpTo)",
        to: "this.#flightUpTo",
      },
    ],
  },
  {
    name: "close does not wait for the groups",
    step: "01.7",
    caughtBy: "close resolves only when everybody who waited has an answer",
    rule: "W2",
    patches: [{ file: "group-commit.ts", from: "      await running;\n", to: "" }],
  },
  {
    name: "the handle of an asynchronous sync is never closed",
    step: "01.7",
    caughtBy: "commits leave no files open behind them",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "      } finally {\n        handle.close();\n      }\n    });",
        to: "      } finally {\n        // Somebody will.\n      }\n    });",
      },
    ],
  },
  {
    name: "an asynchronous sync uses the handle that a roll closes",
    step: "01.7",
    caughtBy: "no file is closed while its sync is under way",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: '      const handle = this.#settings.disk.open(this.#last.path, "read-write");',
        to: "      const handle = this.#handle;",
      },
      {
        file: "log.ts",
        from: "      } finally {\n        handle.close();\n      }\n    });",
        to: "      } finally {\n        // The log closes it.\n      }\n    });",
      },
    ],
  },
  {
    name: "isPoisoned is a value of the beginning, and no getter",
    step: "01.8",
    caughtBy: "commits that gathered while a sync was failing are refused as well",
    rule: "W7",
    patches: [
      {
        file: "guard.ts",
        from: "    get isPoisoned() {\n      return poison !== null;\n    },",
        to: "    isPoisoned: poison !== null,",
      },
    ],
  },
  {
    name: "nobody asks after the sync whether another call has failed",
    step: "01.8",
    caughtBy: "a sync that ends after another has failed acknowledges nothing",
    rule: "W7",
    patches: [
      {
        file: "log.ts",
        from: "    if (this.#guard.isPoisoned) this.#guard.check();\n    this.durableLsn",
        to: "    this.durableLsn",
      },
    ],
  },
  {
    name: "close syncs once more, whatever has happened",
    step: "01.8",
    caughtBy: "a log that has failed can be closed, and does not sync again",
    rule: "W7",
    patches: [
      {
        file: "log.ts",
        from: "      if (!isPoisoned && !this.#guard.isPoisoned) this.#guard.run",
        to: "      if (!isPoisoned || this.#guard.isPoisoned) this.#guard.run",
      },
    ],
  },
  {
    name: "a cut spares those whose sync is under way",
    step: "01.9",
    caughtBy: "a commit whose record is cut off while its sync is under way is rejected",
    rule: "W2",
    patches: [
      { file: "group-commit.ts", from: "of [...gathering, ...syncing])", to: "of [...gathering])" },
    ],
  },
  {
    name: "a sync that was under way promises what a cut has removed",
    step: "01.9",
    caughtBy: "a sync that ends after a cut says nothing about what was cut off",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "    this.#flightUpTo = Math.min(this.#flightUpTo, lsn);\n",
        to: "",
      },
    ],
  },
  {
    name: "obsolete files are removed before the end is repaired",
    step: "01.9",
    caughtBy: "a cut that a killed process has begun leaves no hole after a power cut",
    rule: "W9",
    patches: [
      {
        file: "open.ts",
        from: "  const { segments, handle } = prepareEnd(settings, directory, scan);\n  for (const path of directory.obsolete) disk.unlink(path);\n",
        to: "  for (const path of directory.obsolete) disk.unlink(path);\n  const { segments, handle } = prepareEnd(settings, directory, scan);\n",
      },
    ],
  },
];
