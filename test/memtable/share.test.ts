/**
 * A frozen table is read by another thread without a copy. Method: post what `share` gives to a
 * real thread, and compare what it has found there with a scan here.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as memtable from "#memtable";
import { createMemtable, openSharedMemtable } from "#memtable";
import type { SharedMemtable } from "#memtable/types";
import { spawnThread, type Thread } from "#platform";
import { structures } from "./checks.ts";
import { bytesOf, linesOf, textOf } from "./model.ts";
import { sharedIsTheSame, tableWithHistory } from "./rules.ts";

let thread: Thread<SharedMemtable, readonly string[]>;

beforeEach(() => {
  const entry = new URL("./share-thread.ts", import.meta.url);
  thread = spawnThread(entry, { name: "reader", data: null });
});

afterEach(() => thread.terminate());

/** What the thread finds forwards, and backwards. */
function readThere(shared: SharedMemtable): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    thread.onError(reject);
    thread.onMessage(resolve);
    thread.post(shared);
  });
}

describe.each(structures)("%s", (structure) => {
  const subject = { module: memtable, structure };

  test("02.5 another thread finds what a scan gives", async () => {
    const pair = tableWithHistory(subject, 5000);
    pair.table.freeze();
    const expected = linesOf(pair.model.scan());
    expect(await readThere(pair.table.share()!)).toEqual([expected, expected]);
    pair.compareScan();
  });

  test("what is shared is the same memory, and not a copy", () => {
    sharedIsTheSame(subject);
    const table = createMemtable({ structure });
    table.put(bytesOf("key"), bytesOf("value"), 1);
    table.freeze();
    const shared = table.share()!;
    const [here, there] = [openSharedMemtable(shared), openSharedMemtable(structuredClone(shared))];
    here.seekFirst();
    there.seekFirst();
    here.value.set(bytesOf("VALUE"));
    expect(textOf(there.value)).toBe("VALUE");
  });
});

test("what is not a shared memtable is refused", () => {
  expect(() => openSharedMemtable({ structure: "btree" })).toThrow(TypeError);
});
