/**
 * Step 04.5: the store opens, and opens again. Method: histories against a map, a power cut at
 * every operation of the disk and inside of recovery, and files laid into the directory by hand.
 */
import { errorText, isCairnError } from "#base";
import { type Check, expectThat, fail, type Step } from "#learn";
import { logPath, tablePath } from "#lsm";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import {
  contentOf,
  nothingKnown,
  openOn,
  randomHistory,
  recoverAndJudge,
  someCrashes,
  take,
} from "./store-lab.ts";
import type { LsmSubject, Store } from "./subject.ts";
import { b, count, DIR, list, shown, t, timelineOf } from "./words.ts";

type RecoverCheck = Check<LsmSubject>;

/** A store with two tables, and something in the log. */
function filled(subject: LsmSubject, disk: SimulatedDisk): Store {
  const store = openOn(subject, disk, {});
  for (const round of [1, 2]) {
    for (const key of ["anna", "bert", `only ${round}`]) store.put(b(key), b(`${key} ${round}`));
    store.flush();
  }
  store.put(b("carl"), b("in the log"));
  store.delete(b("bert"));
  return store;
}

const FILLED = new Map([
  ["anna", "anna 2"],
  ["carl", "in the log"],
  ["only 1", "only 1 1"],
  ["only 2", "only 2 2"],
]);

function judgeFilled(store: Store, when: string): void {
  const found = contentOf(store);
  for (const key of [...FILLED.keys(), "bert"]) {
    const value = found.get(key);
    expectThat(value === FILLED.get(key), () => ({
      happened: `${when}, "${key}" should be ${FILLED.has(key) ? `"${FILLED.get(key)}"` : "gone"}. Your store says ${value === undefined ? "nothing" : `"${value}"`}.`,
      why: "Opening is the moment at which a database shows whether it has kept its word.",
    }));
  }
}

const comesBack: RecoverCheck = {
  name: "what was written is there when the store is opened again",
  kind: "unit",
  rule: "L9",
  async run(subject) {
    const disk = createSimulatedDisk();
    const store = filled(subject, disk);
    judgeFilled(store, "While it is open");
    await store.close();
    const second = openOn(subject, disk, {});
    judgeFilled(second, "Closed and opened again");
    await second.close();
    judgeFilled(openOn(subject, disk, {}), "Opened for the third time");
    judgeFilled(openOn(subject, disk.kill(), {}), "After the process was killed");
  },
};

const model: RecoverCheck = {
  name: "a store agrees with a plain map, whatever is flushed and reopened when",
  kind: "model",
  rule: "L1",
  async run(subject, { seed }) {
    for (let round = 0; round < 3; round += 1) {
      const history = randomHistory(seed * 100 + round, { calls: 120, options: {} });
      const disk = createSimulatedDisk();
      let store = openOn(subject, disk, history.options);
      const known = nothingKnown();
      for (const [at, call] of history.calls.entries()) {
        take(store, call, known);
        if (at % 40 === 39) {
          await store.close();
          store = openOn(subject, disk, history.options);
        }
        if (at % 5 !== 0) continue;
        judgeMap(store, known.state, `After ${count(at + 1, "call")}`);
      }
    }
  },
};

function judgeMap(store: Store, state: ReadonlyMap<string, string>, when: string): void {
  const found = contentOf(store);
  for (const key of new Set([...state.keys(), ...found.keys()])) {
    if (state.get(key) === found.get(key)) continue;
    const say = (value: string | undefined): string =>
      value === undefined ? "nothing" : shown(b(value));
    fail({
      happened: `${when} (writes, flushes, a reopening now and then), "${key}" should be ${say(state.get(key))}. Your store says ${say(found.get(key))}.`,
      why: "Layers, flushes and logs are nobody's business but the store's. Its user sees a map.",
    });
  }
}

const powerCuts: RecoverCheck = {
  name: "a power cut at any point loses no acknowledged write",
  kind: "crash",
  rule: "L3",
  run(subject, { seed }) {
    someCrashes(subject, randomHistory(seed, { calls: 30, options: {} }), { seed, stride: 4 });
  },
};

const recoveryCrashes: RecoverCheck = {
  name: "recovery can be cut off at any point, and repeated",
  kind: "crash",
  rule: "L9",
  run(subject, { seed }) {
    const history = randomHistory(seed + 7, { calls: 26, options: {} });
    const disk = createSimulatedDisk({ seed });
    const known = nothingKnown();
    const store = openOn(subject, disk, history.options);
    for (const call of history.calls) take(store, call, known);
    const left = disk.crash(seed);
    // Rubbish, so that recovery has something to remove.
    for (const name of ["000900.sst", "000901.sst.tmp"]) {
      left.open(`${DIR}/${name}`, "create-new").close();
    }
    const probe = left.kill();
    const before = probe.operations;
    openOn(subject, probe, history.options);
    for (let point = before; point <= probe.operations; point += 1) {
      const cut = left.kill();
      cut.cutPowerAt(point);
      try {
        openOn(subject, cut, history.options);
      } catch {
        // The power: what counts is what the next opening finds.
      }
      const tale = `the power was cut, and once more at operation ${point - before} of recovery`;
      recoverAndJudge(subject, cut.crash(seed + point), { history, known, cut, tale });
    }
  },
};

const orphans: RecoverCheck = {
  name: "what the manifest does not name is removed, and what it names stays",
  kind: "unit",
  rule: "L2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const store = filled(subject, disk);
    await store.close();
    const before = tablesIn(disk);
    const rubbish = ["000070.sst", "000071.sst.tmp", "CURRENT.replacing"];
    for (const name of rubbish) disk.open(`${DIR}/${name}`, "read-write").close();
    openWal({ disk, dir: logPath(DIR, 72), preallocateBytes: 0 }, () => {});
    const opened = openOn(subject, disk, {});
    const left = disk.list(DIR);
    const still = [...rubbish, "log-000072"].filter((name) => left.includes(name));
    expectThat(still.length === 0, () => ({
      happened: `Beside the store's own files lay a table that no manifest names (000070.sst), a table that was being written (000071.sst.tmp), the log of a first opening that never came to its end (log-000072) and CURRENT.replacing. After opening, ${list(still)} ${still.length === 1 ? "is" : "are"} still there.`,
      why: "Each crash leaves something. What no opening removes is there for ever: a disk fills up with files that nobody can explain.",
    }));
    const gone = before.filter((name) => !left.includes(name));
    expectThat(gone.length === 0, () => ({
      happened: `The manifest names ${list(before)}. After opening, ${list(gone)} ${gone.length === 1 ? "is" : "are"} gone.`,
      why: "Those tables hold acknowledged writes, and their log was retired long ago.",
    }));
    judgeFilled(opened, "After rubbish was removed");
    const used = 72;
    opened.put(b("dora"), b("new"));
    opened.flush();
    const made = tablesIn(disk).filter((name) => !before.includes(name));
    const low = made.filter((name) => Number.parseInt(name, 10) <= used);
    expectThat(low.length === 0 && made.length > 0, () => ({
      happened: `The directory had held files with numbers up to ${used}. The next table that your store made is ${list(made)}.`,
      rule: "L7",
      why: "The removal of a file may not be durable yet. After a crash the old 000070.sst is back, and the manifest means another one by that name.",
    }));
  },
};

function tablesIn(disk: SimulatedDisk): string[] {
  return disk.list(DIR).filter((name) => name.endsWith(".sst"));
}

const missing: RecoverCheck = {
  name: "a table that is missing is an error, and nothing is removed then",
  kind: "fault",
  rule: "L2",
  async run(subject) {
    const disk = createSimulatedDisk();
    await filled(subject, disk).close();
    const [victim = ""] = tablesIn(disk);
    disk.unlink(`${DIR}/${victim}`);
    disk.open(tablePath(DIR, 70), "create-new").close();
    const before = disk.list(DIR);
    let error: unknown = null;
    try {
      openOn(subject, disk, {});
    } catch (thrown) {
      error = thrown;
    }
    expectThat(isCairnError(error, "LSM_CORRUPT"), () => ({
      happened: `${victim} is named by the manifest, and somebody has removed it. openStore should throw LSM_CORRUPT; yours ${error === null ? "opened" : `threw ${errorText(error)}`}.`,
      why: "A store that opens without the table answers every question as if those writes had never been made, and nobody notices until an audit.",
    }));
    const gone = before.filter(
      (name) => !disk.list(DIR).includes(name) && !name.startsWith("LOCK"),
    );
    expectThat(gone.length === 0, () => ({
      happened: `openStore refused a directory whose ${victim} is missing, and removed ${list(gone)}.`,
      why: "The file that nobody names may be the one that was renamed by mistake. Whoever comes to repair this needs all that is left.",
    }));
  },
};

const logFirst: RecoverCheck = {
  name: "a write that the log refuses is not in memory either",
  kind: "fault",
  rule: "L3",
  run(subject) {
    const disk = createSimulatedDisk();
    const store = openOn(subject, disk, {});
    store.put(b("anna"), b("old"));
    const from = disk.operations;
    disk.plan({ operation: "write", fault: "EIO", after: 0, path: "log-", times: 5 });
    let refused = false;
    try {
      store.put(b("anna"), b("new"));
    } catch {
      refused = true;
    }
    const found = store.get(b("anna"));
    expectThat(refused && found !== undefined && t(found) === "old", () => ({
      happened: `"anna" was "old". The disk failed when the log was to be written, while "anna" was set to "new". ${refused ? "The write was refused, as it should be, and" : "The write returned as if it had worked, and"} a reader now sees ${shown(found)}.`,
      why: "Readers act on what they see. After a crash it was never there: the ticket was sent, and the order does not exist.",
      timeline: timelineOf(disk, from),
    }));
  },
};

/** Lines of the timeline on either side. */
const AROUND = 6;

const noFlushInPut: RecoverCheck = {
  name: "a write never waits for a flush",
  kind: "property",
  rule: "L8",
  run(subject) {
    const disk = createSimulatedDisk();
    const store = openOn(subject, disk, { frozenMemtablesMax: 50 });
    for (let at = 0; at < 60; at += 1) store.put(b(`key ${at}`), b("x".repeat(400)));
    const made = disk.trace.filter(({ path }) => path.includes(".sst"));
    expectThat(made.length === 0, () => ({
      happened: `60 writes of 400 bytes filled several memtables, and nobody called step or flush. Your store wrote a table all the same, at operation ${made[0]?.sequence}: inside of put.`,
      why: "The write that happens to fill the memtable pays for the whole flush. One customer in ten thousand waits a second, and nobody finds out why.",
      timeline: timelineOf(disk, (made[0]?.sequence ?? 0) - AROUND, Number.POSITIVE_INFINITY).slice(
        0,
        2 * AROUND,
      ),
    }));
    let steps = 0;
    while (store.step() && steps < 100) steps += 1;
    expectThat(tablesIn(disk).length > 0, () => ({
      happened: `60 writes of 400 bytes were made, with memtables of 3000 bytes. step was called until it said that nothing is left to do: ${count(steps, "time")}. There is no table.`,
      why: "A memtable that is never frozen grows until the process is out of memory.",
    }));
  },
};

/** The step. */
export const recovering: Step<LsmSubject> = {
  id: "04.5",
  checks: [comesBack, model, powerCuts, recoveryCrashes, orphans, missing, logFirst, noFlushInPut],
};
