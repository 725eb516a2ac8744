/**
 * A process that commits until it is killed, for threads.test.ts. It says `number timestamp` for
 * each commit that was answered, one line each.
 *
 * Several commits are under way at a time, some of them synced. Each writes several keys, in small
 * memtables, so that the worker flushes and compacts all the while.
 */
import { writeSync } from "node:fs";
import { openMvcc } from "#mvcc";

const CLIENTS = 4;
const KEYS = 50;
const STDOUT = 1;
const [dir = "", first = "1"] = process.argv.slice(2);
const encoder = new TextEncoder();
const filler = "x".repeat(300);

const mvcc = await openMvcc({
  dir,
  engine: { memtableBytesMax: 32 * 1024, tableBytesMax: 32 * 1024, levelZeroCompactRuns: 2 },
});
let next = Number(first);

async function client(): Promise<never> {
  for (;;) {
    const number = next;
    next += 1;
    const transaction = mvcc.begin();
    for (const name of ["one", "two", "three"]) {
      const key = `${name}/${String(number % KEYS).padStart(2, "0")}`;
      transaction.put(encoder.encode(key), encoder.encode(`${number} ${filler}`));
    }
    transaction.delete(encoder.encode(`log/${number - KEYS}`));
    transaction.put(encoder.encode(`log/${number}`), encoder.encode(String(number)));
    const timestamp = await transaction.commit({ sync: number % 8 === 0 });
    // Before anything else happens in this process.
    writeSync(STDOUT, `${number} ${timestamp}\n`);
    if (number % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

await Promise.all(Array.from({ length: CLIENTS }, client));
