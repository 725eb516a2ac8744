/**
 * What readers get wrong in step 00.6, as patches on the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

export const replaceMistakes: readonly StepMistake[] = [
  {
    name: "written over the old content, in place",
    step: "00.6",
    caughtBy: "a power cut at any point leaves all of the old content or all of the new",
    rule: "D5",
    patches: [
      {
        file: "replace-file.ts",
        from: ".new`;",
        to: "`;",
      },
    ],
  },
  {
    name: "the file is not synced before the rename",
    step: "00.6",
    caughtBy: "a power cut at any point leaves all of the old content or all of the new",
    rule: "D0",
    patches: [{ file: "replace-file.ts", from: "    file.sync();\n", to: "" }],
  },
  {
    name: "the old file is removed before the rename",
    step: "00.6",
    caughtBy: "a power cut at any point leaves all of the old content or all of the new",
    rule: "D5",
    patches: [
      {
        file: "replace-file.ts",
        from: "  disk.rename(temporary, path);\n",
        to: "  if (disk.exists(path)) disk.unlink(path);\n  disk.rename(temporary, path);\n",
      },
    ],
  },
  {
    name: "the directory is not synced",
    step: "00.6",
    caughtBy: "once replaceFile has returned, a power cut leaves the new content",
    rule: "D1",
    trap: "T4",
    patches: [{ file: "replace-file.ts", from: "  disk.syncDir(directoryOf(path));\n", to: "" }],
  },
  {
    name: "the directory is synced before the rename",
    step: "00.6",
    caughtBy: "once replaceFile has returned, a power cut leaves the new content",
    rule: "D1",
    patches: [
      {
        file: "replace-file.ts",
        from: "  disk.rename(temporary, path);\n  disk.syncDir(directoryOf(path));\n",
        to: "  disk.syncDir(directoryOf(path));\n  disk.rename(temporary, path);\n",
      },
    ],
  },
  {
    name: "a temporary file that must be new: one power cut, and never again",
    step: "00.6",
    caughtBy: "what a power cut left behind does not disturb the next call, and is gone after it",
    rule: "D5",
    patches: [
      {
        file: "replace-file.ts",
        from: 'disk.open(path, "read-write")',
        to: 'disk.open(path, "create-new")',
      },
    ],
  },
  {
    name: "a longer temporary file is not cut",
    step: "00.6",
    caughtBy: "what a power cut left behind does not disturb the next call, and is gone after it",
    rule: "D5",
    patches: [{ file: "replace-file.ts", from: "    file.truncate(0);\n", to: "" }],
  },
  {
    name: "a new temporary name each time",
    step: "00.6",
    caughtBy: "what a power cut left behind does not disturb the next call, and is gone after it",
    rule: "D5",
    patches: [
      {
        file: "replace-file.ts",
        from: ".new`;",
        to: ".` + disk.list(directoryOf(path)).length;",
      },
    ],
  },
  {
    name: "the error of a full disk is swallowed",
    step: "00.6",
    caughtBy: "a full disk leaves the old content, and the next call that fits succeeds",
    rule: "D5",
    patches: [
      {
        file: "replace-file.ts",
        from: "    file.write(0, content);\n",
        to: "    try {\n      file.write(0, content);\n    } catch {}\n",
      },
    ],
  },
  {
    name: "a failed sync is tried again",
    step: "00.6",
    caughtBy: "a sync that failed is never taken for one that worked, nor tried again",
    rule: "D4",
    patches: [
      {
        file: "replace-file.ts",
        from: "    file.sync();\n",
        to: "    try {\n      file.sync();\n    } catch {\n      file.sync();\n    }\n",
      },
    ],
  },
  {
    name: "the error of the directory sync is swallowed",
    step: "00.6",
    caughtBy: "a directory sync that failed is an error for the caller",
    rule: "D1",
    patches: [
      {
        file: "replace-file.ts",
        from: "  disk.syncDir(directoryOf(path));\n",
        to: "  try {\n    disk.syncDir(directoryOf(path));\n  } catch {}\n",
      },
    ],
  },
  {
    name: "the directory is the path up to its last slash, and there is none",
    step: "00.6",
    caughtBy: "a path without a directory works as any other",
    rule: "D5",
    patches: [
      {
        file: "replace-file.ts",
        from: "disk.syncDir(directoryOf(path))",
        to: 'disk.syncDir(path.slice(0, path.lastIndexOf("/")))',
      },
    ],
  },
];
