/**
 * Planted mistakes that show when power or disk fail: what is durable when, and in which order.
 */
import { forwarding, lines, type Mistake, neverSynced, passedOn } from "./mistake.ts";

/** Removes at once what may be removed only later. */
const removeNow = (paths: string): string =>
  `for (const path of ${paths}) { this.#parts.settings.disk.unlink(path);
    this.#parts.settings.disk.syncDir(path.slice(0, path.lastIndexOf("/"))); }`;

export const durabilityMistakes: readonly Mistake[] = [
  {
    name: "no directory sync",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) => forwarding(disk, { syncDir: () => {} }),
  },
  {
    name: "the manifest names tables that were never synced",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => (path.includes(".sst") ? neverSynced(handle) : handle),
      }),
  },
  {
    name: "edits of the manifest are not synced",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => (path.includes("manifest-") ? neverSynced(handle) : handle),
      }),
  },
  {
    name: "a synced write is acknowledged when it is in the page cache",
    rule: "L9",
    caughtBy: "power cuts",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => (path.includes("log-") ? neverSynced(handle) : handle),
      }),
  },
  {
    name: "a write that is not synced stays in the process",
    rule: "L9",
    caughtBy: "kills",
    patches: [{ file: "engine-log.ts", from: "      wal.flush();\n", to: "" }],
  },
  {
    name: "the log is retired before the manifest is durable",
    rule: "L3",
    caughtBy: "power cuts",
    patches: [
      {
        file: "background.ts",
        from: "          nextNumber: numbers.next,\n          logFrom: isLogDurable",
        to: lines(
          "          nextNumber: this.#retireNow(layer.logBefore),\n",
          "          logFrom: isLogDurable",
        ),
      },
      {
        file: "background.ts",
        from: "  #retire(logFrom: number): void {\n",
        to: `  #retireNow(logFrom: number): number {
    ${removeNow("this.#parts.log.retire(logFrom)")}
    return this.#parts.numbers.next;
  }
  #retire(logFrom: number): void {\n`,
      },
    ],
  },
  {
    name: "the log is retired before the flush",
    rule: "L3",
    caughtBy: "power cuts",
    patches: [
      {
        file: "background.ts",
        from: "    this.#flushing = layer;\n",
        to: `    this.#flushing = layer;
    if (this.#parts.log.failure === null) {
      this.#parts.log.sync();
      ${removeNow("this.#parts.log.retire(layer.logBefore)")}
    }\n`,
      },
    ],
  },
  {
    name: "the log is retired up to its end, not to the memtable's",
    rule: "L3",
    caughtBy: "power cuts",
    patches: [
      {
        file: "background.ts",
        from: "logFrom: isLogDurable ? layer.logBefore : null,",
        to: "logFrom: isLogDurable ? this.#parts.log.before : null,",
      },
    ],
  },
  {
    name: "an edit names a place in the log that is not durable",
    rule: "L3",
    caughtBy: "power cuts",
    patches: [
      {
        file: "edit-queue.ts",
        from: "pending.make(this.#syncLog())",
        to: "pending.make(true)",
      },
      // Or the log itself would refuse to be cut there.
      {
        file: "background.ts",
        from: "        if (edit.logFrom !== undefined) this.#retire(edit.logFrom);\n",
        to: "",
      },
    ],
  },
  {
    name: "inputs are unlinked before the manifest is durable",
    rule: "L3",
    caughtBy: "power cuts",
    patches: [
      {
        file: "background.ts",
        from: "    const { plan, run, request } = this.#compacting!;\n",
        to: `    const { plan, run, request } = this.#compacting!;
    const gone = plan.inputs.flatMap(({ tables }) => tables.map(({ id }) =>
      \`\${this.#parts.settings.dir}/\${String(id).padStart(6, "0")}.sst\`));
    ${removeNow("gone")}\n`,
      },
    ],
  },
  {
    name: "a batch is split over two records of the log",
    rule: "L9",
    caughtBy: "power cuts",
    patches: [
      {
        file: "engine.ts",
        from: "    log.append(group);\n",
        to: "    for (const part of splitGroup(group)) log.append(part);\n",
      },
      { file: "engine.ts", from: "import { applyGroup,", to: "import { splitGroup, applyGroup," },
      {
        file: "write-group.ts",
        from: "/** What stands at the head of a group. */",
        to: `export function splitGroup(group: Bytes): Bytes[] {
  const parts = [createOperations(), createOperations()];
  const first = groupHeader(group).sequence;
  const of = (sequence: Sequence) => parts[sequence === first ? 0 : 1]!;
  applyGroup(group, {
    put: (key: Bytes, value: Bytes, sequence: Sequence) => of(sequence).put(key, value),
    delete: (key: Bytes, sequence: Sequence) => of(sequence).delete(key),
  } as unknown as Memtable, 0);
  return parts.filter(({ count }) => count > 0).map((part, i) => part.seal(first + i));
}

/** What stands at the head of a group. */`,
      },
    ],
  },
  {
    name: "the memtable takes a write before the log",
    rule: "M7",
    caughtBy: "failing disk",
    patches: [
      {
        file: "engine.ts",
        from: lines(
          "    log.append(group);\n",
          "    applyGroup(group, memory.active.memtable, snapshots.newest);\n",
        ),
        to: lines(
          "    applyGroup(group, memory.active.memtable, snapshots.newest);\n",
          "    log.append(group);\n",
        ),
      },
    ],
  },
  {
    name: "a failed sync is acknowledged",
    rule: "L9",
    caughtBy: "failing disk",
    patches: [
      {
        file: "write-queue.ts",
        from: "      this.#synced?.reject(error);\n    }\n  }\n}",
        to: "      void error;\n      this.#synced?.resolve();\n    }\n  }\n}",
      },
    ],
  },
  {
    name: "a log goes on after a failed sync",
    rule: "L9",
    caughtBy: "failing disk",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => {
          if (!path.includes("log-")) return handle;
          const again = (): void => {
            try {
              handle.sync();
            } catch {
              handle.sync();
            }
          };
          const syncAsync = () => handle.syncAsync().catch(() => handle.syncAsync());
          return { ...passedOn(handle), sync: again, syncAsync };
        },
      }),
  },
  {
    name: "a log that has failed is replaced, and the active memtable forgotten",
    rule: "L3",
    caughtBy: "failing disk",
    patches: [
      {
        file: "background.ts",
        from: "    if (log.failure !== null) this.#parts.freeze();\n",
        to: "",
      },
    ],
  },
  {
    name: "a log that has failed goes before the manifest names the new one",
    rule: "L3",
    caughtBy: "failing disk",
    patches: [
      {
        file: "background.ts",
        from: "    this.#newLog = next;\n",
        to: lines(
          "    this.#newLog = next;\n",
          "    void dropLog(next.wal, settings.disk, logPath(settings.dir, log.number));\n",
        ),
      },
    ],
  },
  {
    name: "what tables hold already is replayed over them",
    rule: "L1",
    caughtBy: "failing disk",
    patches: [
      {
        file: "recover.ts",
        from: lines(
          "    if (sequence + count - 1 <= this.sequence) return;\n",
          "    if (sequence !== this.sequence + 1) {",
        ),
        to: "    if (sequence > this.sequence + 1) {",
      },
    ],
  },
  {
    name: "an edit that failed counts, and is made again",
    rule: "L2",
    caughtBy: "failing disk",
    patches: [
      {
        file: "manifest.ts",
        from: "    const { wal } = this.#file;\n    try {\n      wal.append(payload);",
        to: lines(
          "    const { wal } = this.#file;\n",
          "    this.#state = next;\n",
          "    try {\n",
          "      wal.append(payload);",
        ),
      },
    ],
  },
  {
    name: "a new manifest leaves out the oldest run",
    rule: "L2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "manifest.ts",
        from: lines(
          "    const state = { ...this.#state, nextNumber: this.#numbers.next };\n",
          "    let begun",
        ),
        to: `    const runs = this.#state.version.runs.slice(0, -1);
    const state = { ...this.#state, nextNumber: this.#numbers.next, version: { runs } };
    let begun`,
      },
    ],
  },
  {
    name: "CURRENT is written in place",
    rule: "L2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "current-file.ts",
        from: "  replaceFile(disk, currentPath(dir), bytes);\n",
        to: `  const handle = disk.open(currentPath(dir), "read-write");
  handle.truncate(0);
  handle.write(0, bytes);
  handle.sync();
  handle.close();
  disk.syncDir(dir);
  void replaceFile;\n`,
      },
    ],
  },
  {
    name: "CURRENT names a manifest that is not synced",
    rule: "L2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "manifest.ts",
        from: "    wal.append(snapshot);\n    wal.sync();\n",
        to: "    wal.append(snapshot);\n    wal.flush();\n",
      },
    ],
  },
  {
    name: "numbers go on from the manifest, not from the files that are there",
    rule: "L7",
    caughtBy: "power cuts",
    patches: [
      {
        file: "manifest.ts",
        from: "used = Math.max(used, numberIn(file));",
        to: "used = Math.min(used, numberIn(file));",
      },
    ],
  },
  {
    name: "orphans are removed before the manifest was read",
    rule: "L2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "recover.ts",
        from: "const live = new Set(allTables(state.version).map(({ id }) => id));",
        to: "const live = new Set<number>();",
      },
    ],
  },
  {
    name: "orphans stay",
    rule: "L2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "recover.ts",
        from: 'else if (file.kind === "table" && !live.has(file.number)) tryUnlink(disk, path);',
        to: 'else if (file.kind === "table" && live.has(-file.number)) tryUnlink(disk, path);',
      },
    ],
  },
  {
    name: "a file of the log that cannot be removed is passed over",
    rule: "L3",
    caughtBy: "failing removals",
    patches: [{ file: "jobs.ts", from: "      this.#putOff(removal);\n", to: "" }],
  },
  {
    name: "a manifest that has lost its end is believed",
    rule: "L2",
    caughtBy: "damage",
    patches: [{ file: "recover.ts", from: "  checkEnd({ disk, dir }, state, files);\n", to: "" }],
  },
];
