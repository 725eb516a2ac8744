/**
 * Random reads while a writer in the same process keeps to a schedule.
 *
 * The schedule is the same for each engine: so many writes a millisecond, whatever the engine makes
 * of them. Who cannot keep up writes less than the others, and the note says so.
 *
 * Invariant: never more than 256 writes unanswered; all are answered before the clock stops.
 */
import type { Store, Tally } from "./types.ts";
import { IN_FLIGHT, inPieces, keysDrawn } from "./workload.ts";

const WRITES_PER_MS = 10;
/** Small, so that the writer gets its turn. */
const READS_PER_TURN = 64;
/** Enough for the slowest engine; the list is gone through again after its end. */
const WRITER_KEYS = 100_000;
const SALT_WRITER = 3;

/** The timed part of the row. @returns how much of the schedule was kept. */
export async function randomReadsWhileWriting(
  store: Store,
  list: Uint32Array,
  tally: Tally,
): Promise<string> {
  const writer = startWriter(store, list.length);
  await inPieces(list, READS_PER_TURN, async (piece) => {
    await store.gets(piece, tally);
    writer.catchUp();
    await new Promise(setImmediate);
  });
  return writer.stop();
}

function startWriter(store: Store, keys: number) {
  const list = keysDrawn(WRITER_KEYS, { among: keys, seed: 21 });
  const start = performance.now();
  let issued = 0;
  let unanswered = 0;
  let failure: unknown;
  const pending = new Set<Promise<void>>();
  const due = () => Math.floor((performance.now() - start) * WRITES_PER_MS);
  const write = (count: number) => {
    const from = issued % WRITER_KEYS;
    const before = Math.min(WRITER_KEYS, from + count);
    issued += before - from;
    unanswered += before - from;
    const answered = store.puts({ keys: list, from, before }, SALT_WRITER).then(
      () => {
        unanswered -= before - from;
        pending.delete(answered);
      },
      (error: unknown) => {
        failure = error;
      },
    );
    pending.add(answered);
  };
  return {
    catchUp() {
      if (failure !== undefined) throw failure;
      const count = Math.min(due() - issued, IN_FLIGHT - unanswered);
      if (count > 0) write(count);
    },
    async stop(): Promise<string> {
      const wanted = due();
      await Promise.all(pending);
      if (failure !== undefined) throw failure;
      return `${issued} writes, ${Math.round((100 * issued) / Math.max(1, wanted))} % of the schedule`;
    },
  };
}
