/**
 * Steps 01.6 and 01.7: files that a log opens and closes. A file too many costs nothing in a test,
 * and the whole process a minute later.
 */
import { type Check, expectThat } from "#learn";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { Callers, HANG, nobodyWaits, settle } from "./callers.ts";
import { open, payloadOf } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

/** What is known of a disk's open files. */
interface Watch {
  /** Files that are open now, by name, one entry for each handle. */
  readonly open: string[];
  /** Files that were closed while a sync of the same handle was under way. */
  readonly cutShort: string[];
}

/** Counts the handles of a disk from now on. */
export function watchHandles(disk: SimulatedDisk): Watch {
  const watch: Watch = { open: [], cutShort: [] };
  const openFile = disk.open.bind(disk);
  disk.open = (path, mode) => {
    const handle = openFile(path, mode);
    const name = path.replace(/^log\/0*/, "");
    const [close, syncAsync] = [handle.close.bind(handle), handle.syncAsync.bind(handle)];
    let [isClosed, syncs] = [false, 0];
    watch.open.push(name);
    handle.close = () => {
      close();
      if (syncs > 0) watch.cutShort.push(name);
      if (!isClosed) watch.open.splice(watch.open.indexOf(name), 1);
      isClosed = true;
    };
    handle.syncAsync = async () => {
      syncs += 1;
      try {
        await syncAsync();
      } finally {
        syncs -= 1;
      }
    };
    return handle;
  };
  return watch;
}

const WHY_OPEN =
  "A process may have some hundreds or thousands of files open, and not one more. After that nothing can be opened: no new segment, no table, no connection. The node dies with EMFILE.";

const nothingLeftOpen: Check<WalSubject> = {
  name: "a log that was closed leaves no file open",
  kind: "unit",
  rule: "W9",
  async run(subject) {
    const disk = createSimulatedDisk();
    const watch = watchHandles(disk);
    for (const round of [1, 2]) {
      const { wal } = open(subject, disk, { segmentBytesMax: 600 });
      for (let i = 0; i < 6; i += 1) {
        wal.append(payloadOf(i, 200));
        wal.sync();
      }
      wal.read({ from: 1, before: wal.nextLsn }, () => {});
      await wal.close();
      const left = [...new Set(watch.open)];
      expectThat(left.length === 0, () => ({
        happened: `A log was opened, six records went into segments of two, all were read, and the log was closed${round === 2 ? ", for the second time" : ""}. ${watch.open.length} ${watch.open.length === 1 ? "handle is" : "handles are"} still open, on ${left.join(", ")}.`,
        why: WHY_OPEN,
      }));
    }
  },
};

const COMMITS = 40;
/** A log may keep some files open, but not more with every commit. */
const HANDLES_MAX = 10;

const noFilePerCommit: Check<WalSubject> = {
  name: "commits leave no files open behind them",
  kind: "unit",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const watch = watchHandles(disk);
    const { wal } = open(subject, disk);
    for (let i = 0; i < COMMITS; i += 1) await wal.commit(payloadOf(i, 40));
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    await wal.commit(payloadOf(COMMITS, 40)).catch(() => {});
    expectThat(watch.open.length <= HANDLES_MAX, () => ({
      happened: `${COMMITS} commits were made, one after the other, into one segment. ${watch.open.length} handles are open on ${[...new Set(watch.open)].join(", ")}. One or two are needed, and ${HANDLES_MAX} allowed.`,
      why: WHY_OPEN,
    }));
    // A log that has failed may refuse here: step 01.8 looks at that.
    await wal.close().catch(() => {});
    expectThat(watch.open.length === 0, () => ({
      happened: `${COMMITS} commits were made, the sync of one more failed with EIO, and the log was closed. ${watch.open.length} handles are still open.`,
      why: WHY_OPEN,
    }));
  },
};

const notCutShort: Check<WalSubject> = {
  name: "no file is closed while its sync is under way",
  kind: "fault",
  rule: "W2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const watch = watchHandles(disk);
    const { wal } = open(subject, disk, { segmentBytesMax: 600 });
    disk.plan(HANG);
    const callers = new Callers();
    const all = [callers.commit(wal)];
    await settle();
    for (let i = 0; i < 5; i += 1) all.push(callers.commit(wal));
    await settle();
    disk.releaseHung();
    await settle();
    nobodyWaits(callers, "Six commits filled three segments while a sync was under way.");
    await Promise.all(all);
    expectThat(watch.cutShort.length === 0, () => ({
      happened: `Commit 1 was made, and the asynchronous sync of segment 1 began. While it was under way, five more commits filled segment 1 and the next. Your log closed ${watch.cutShort[0]} with that sync still under way on the same handle.`,
      why: "On a real disk the sync then fails with EBADF, or the system gives the same number to the next file that is opened, and that one is synced instead of yours.",
      timeline: [
        "commit 1 writes its record",
        "the sync of 1.wal begins",
        "commits 2 to 6: the log rolls",
        `close ${watch.cutShort[0]}`,
        "the sync of 1.wal ends",
      ],
    }));
  },
};

export const closingChecks: readonly Check<WalSubject>[] = [nothingLeftOpen];
export const handleChecks: readonly Check<WalSubject>[] = [noFilePerCommit, notCutShort];
