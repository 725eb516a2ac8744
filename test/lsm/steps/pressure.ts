/**
 * Step 04.9: writes that are held back, and let go. Method: a store whose background work happens
 * only where the check calls for it, on a clock that the check moves.
 */
import { errorText, isCairnError } from "#base";
import { type Check, expectThat, type Step } from "#learn";
import type { Picker } from "#lsm";
import { createSimulatedClock, createSimulatedDisk, seededRandom } from "#platform";
import { MERGE_ALL, NO_PICKER, openOn } from "./store-lab.ts";
import type { LsmSubject, Store, StoreOptions } from "./subject.ts";
import { b, count, t } from "./words.ts";

type PressureCheck = Check<LsmSubject>;

/** @returns null if the write went through, or the error. */
function tryPut(store: Store, key: string, value = "x"): unknown {
  try {
    store.put(b(key), b(value));
    return null;
  } catch (error) {
    return error;
  }
}

function isStall(error: unknown): boolean {
  return isCairnError(error, "LSM_STALLED");
}

function outcome(error: unknown): string {
  return error === null ? "went through" : `threw ${errorText(error)}`;
}

/** A picker that does nothing until it is told to. */
function lazyPicker(): Picker & { isAwake: boolean } {
  const picker = {
    name: "lazy",
    isAwake: false,
    pick: (version: Parameters<Picker["pick"]>[0]) =>
      picker.isAwake ? MERGE_ALL.pick(version) : null,
  };
  return picker;
}

/** A step may be a slice of a job: a small compaction may take dozens. */
const STEPS_MAX = 200;

const LIMITS = { levelZeroStopRuns: 4, memtableBytesMax: 4096 } as const;

/** A store whose level 0 has reached the stop limit. */
function full(subject: LsmSubject, options: Partial<StoreOptions> = {}) {
  const picker = lazyPicker();
  const store = openOn(subject, createSimulatedDisk(), { ...LIMITS, picker, ...options });
  for (let run = 1; run <= LIMITS.levelZeroStopRuns; run += 1) {
    const error = tryPut(store, "anna", `run ${run}`);
    expectThat(error === null, () => ({
      happened: `Level 0 has ${count(store.stats().levelZeroRuns, "run")}; writes stop at ${LIMITS.levelZeroStopRuns}. A put ${outcome(error)}.`,
      why: "A store that stops too early is a store that is down.",
    }));
    store.flush();
  }
  return { store, picker };
}

const stops: PressureCheck = {
  name: "writes stop when level 0 is full, and go on after a compaction",
  kind: "unit",
  rule: "L8",
  run(subject) {
    const { store, picker } = full(subject);
    const error = tryPut(store, "bert");
    expectThat(isStall(error), () => ({
      happened: `Level 0 has ${count(store.stats().levelZeroRuns, "run")}, and levelZeroStopRuns is ${LIMITS.levelZeroStopRuns}. A put should throw LSM_STALLED; it ${outcome(error)}.`,
      why: "Writes came faster than compaction could follow, and nothing held them back. An hour later each lookup asked two hundred tables, and recovery did not fit into memory.",
    }));
    const { reason } = store.stats();
    expectThat(reason === "level 0 is full", () => ({
      happened: `A put was turned away because level 0 is full. stats().reason should say "level 0 is full"; it says ${reason === null ? "null" : `"${reason}"`}.`,
      why: "Somebody is woken up at night because writes fail. The reason is the first thing they look for.",
    }));
    const found = store.get(b("anna"));
    expectThat(found !== undefined && t(found) === "run 4", () => ({
      happened: `Writes are stopped. A lookup of "anna" gives ${found === undefined ? "nothing" : `"${t(found)}"`}, and should give "run 4".`,
      why: "Back-pressure is for writers. Readers have done nothing.",
    }));
    const absent = store.get(b("bert"));
    expectThat(absent === undefined, () => ({
      happened:
        'The put of "bert" was turned away with LSM_STALLED. A reader finds it all the same.',
      why: "A write that was refused must not have happened: its caller will try again, or give up and tell somebody.",
    }));
    picker.isAwake = true;
    let steps = 0;
    while (store.step() && steps < STEPS_MAX) steps += 1;
    const again = tryPut(store, "bert");
    expectThat(again === null && store.stats().reason === null, () => ({
      happened: `A compaction has merged level 0: it has ${count(store.stats().levelZeroRuns, "run")} now. The next put ${outcome(again)}, and stats().reason is ${store.stats().reason ?? "null"}.`,
      why: "Writes must go on by themselves when there is room. A brake that does not let go is an outage with a delay.",
    }));
  },
};

const memtables: PressureCheck = {
  name: "writes stop when memtables wait for their flush, and go on after it",
  kind: "unit",
  rule: "L8",
  run(subject) {
    const store = openOn(subject, createSimulatedDisk(), {
      memtableBytesMax: 4096,
      frozenMemtablesMax: 2,
    });
    let error: unknown = null;
    let puts = 0;
    for (; error === null && puts < 200; puts += 1)
      error = tryPut(store, `key ${puts}`, "x".repeat(300));
    expectThat(isStall(error), () => ({
      happened: `Memtables have 4096 bytes, two of them may wait for their flush, and nobody calls step. After ${count(puts, "write")} of 300 bytes a put should have thrown LSM_STALLED; the last one ${outcome(error)}. ${count(store.stats().frozenMemtables, "memtable")} are frozen.`,
      why: "Each frozen memtable is memory. With nothing to stop them, writes fill it until the process is killed, and recovery has to read all of it again.",
    }));
    const { reason, frozenMemtables } = store.stats();
    expectThat(reason === "memtables wait for their flush" && frozenMemtables === 2, () => ({
      happened: `A put was turned away with ${count(frozenMemtables, "frozen memtable")}. stats().reason says ${reason === null ? "null" : `"${reason}"`}. Two memtables may be frozen, so the stop belongs at two, with the reason "memtables wait for their flush".`,
      why: "A slow disk and a slow compaction are two different repairs.",
    }));
    let again: unknown = null;
    for (let steps = 0; steps < STEPS_MAX; steps += 1) {
      store.step();
      again = tryPut(store, "after");
      if (again === null) break;
    }
    expectThat(again === null, () => ({
      happened: `step was called ${STEPS_MAX} times, with two memtables waiting for their flush; ${store.stats().frozenMemtables} are frozen now. The next put still ${outcome(again)}.`,
      why: "There is room again. Who waits for more than is needed waits for ever.",
    }));
  },
};

const stallTime: PressureCheck = {
  name: "the time of a stop is recorded, and ends when there is room",
  kind: "unit",
  rule: "L8",
  run(subject) {
    const clock = createSimulatedClock();
    const { store, picker } = full(subject, { clock });
    clock.advance(100);
    tryPut(store, "bert");
    clock.advance(30);
    tryPut(store, "bert");
    clock.advance(10);
    const during = store.stats();
    expectThat(during.stops === 1 && during.stopMs === 40, () => ({
      happened: `A put was turned away, 30 ms later another one, and 10 ms have passed since. That is one stop of 40 ms so far. stats() says ${count(during.stops, "stop")} of ${during.stopMs} ms.`,
      why: "Without the time, a graph shows that writes are slow, and not that it is the store that holds them.",
    }));
    picker.isAwake = true;
    while (store.step());
    tryPut(store, "bert");
    clock.advance(1000);
    const after = store.stats();
    expectThat(after.stops === 1 && after.stopMs === 40, () => ({
      happened: `The stop had lasted 40 ms when a compaction made room. A second later stats() says ${count(after.stops, "stop")} of ${after.stopMs} ms.`,
      why: "A clock that runs on after the stop makes a good afternoon look like a long outage.",
    }));
  },
};

const bounded: PressureCheck = {
  name: "level 0 stays bounded when ten writes come for each step of work",
  kind: "property",
  rule: "L8",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const store = openOn(subject, createSimulatedDisk(), { ...LIMITS, picker: MERGE_ALL });
    let [longest, stalls, frozen] = [0, 0, 0];
    for (let round = 0; round < 40; round += 1) {
      for (let write = 0; write < 10; write += 1) {
        const key = `key ${random.below(50)}`;
        let error = tryPut(store, key, "x".repeat(500));
        for (let steps = 0; error !== null && steps < STEPS_MAX; steps += 1) {
          expectThat(isStall(error), () => ({
            happened: `Under a steady load a put should go through or throw LSM_STALLED. It ${outcome(error)}.`,
            why: "A writer that is held back waits and tries again. Any other error it takes for a broken disk.",
          }));
          stalls += 1;
          store.step();
          error = tryPut(store, key, "x".repeat(500));
        }
        expectThat(error === null, () => ({
          happened: `A put was turned away, and ${STEPS_MAX} steps of background work later it still ${outcome(error)}. Level 0 has ${count(store.stats().levelZeroRuns, "run")}.`,
          why: "Writes are stopped, and the work that would let them go on is not due: nobody will ever get out of this.",
        }));
        const stats = store.stats();
        longest = Math.max(longest, stats.levelZeroRuns);
        frozen = Math.max(frozen, stats.frozenMemtables);
      }
      store.step();
    }
    const most = LIMITS.levelZeroStopRuns + 3;
    expectThat(longest <= most && frozen <= 2, () => ({
      happened: `400 writes, with one step of work for ten of them, and ${count(stalls, "time")} a writer that had to help. Level 0 had up to ${count(longest, "run")} (the limit is ${LIMITS.levelZeroStopRuns}, and what was frozen already may come on top), and up to ${count(frozen, "memtable")} were frozen (the limit is 2).`,
      why: "What is not bounded grows. Each run is a look for every reader.",
    }));
  },
};

const notTooEarly: PressureCheck = {
  name: "a store that keeps up is never held back",
  kind: "property",
  rule: "L8",
  run(subject) {
    const store = openOn(subject, createSimulatedDisk(), { ...LIMITS, picker: MERGE_ALL });
    for (let write = 0; write < 120; write += 1) {
      const error = tryPut(store, `key ${write % 30}`, "x".repeat(300));
      const { levelZeroRuns, frozenMemtables } = store.stats();
      expectThat(error === null, () => ({
        happened: `All background work is done after each write, and level 0 has ${count(levelZeroRuns, "run")} of ${LIMITS.levelZeroStopRuns}, with ${count(frozenMemtables, "frozen memtable")}. Write ${write + 1} ${outcome(error)}.`,
        why: "Back-pressure costs somebody their write. It is for when there is no other way.",
      }));
      while (store.step());
    }
    const { stops: counted, reason } = store.stats();
    expectThat(counted === 0 && reason === null, () => ({
      happened: `No write was ever turned away. stats() says ${count(counted, "stop")}, and its reason is ${reason ?? "null"}.`,
      why: "A counter that counts what did not happen is worse than none.",
    }));
    const untouched = openOn(subject, createSimulatedDisk(), { picker: NO_PICKER });
    expectThat(untouched.stats().stopMs === 0, () => ({
      happened: `A store that was just opened says that writes were stopped for ${untouched.stats().stopMs} ms.`,
      why: "A counter that counts what did not happen is worse than none.",
    }));
  },
};

/** The step. */
export const holdingBack: Step<LsmSubject> = {
  id: "04.9",
  checks: [stops, memtables, stallTime, bounded, notTooEarly],
};
