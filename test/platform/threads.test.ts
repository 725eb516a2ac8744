/**
 * Threads are started from sources, hear everything in order, and never end in silence. Method: a
 * real thread that says back what it hears (test/support/echo-thread.ts), and dies when told to.
 */
import { afterEach, expect, test } from "vitest";
import { createPortPair, spawnThread, type Thread, wrapPort } from "#platform";

const ENTRY = new URL("../support/echo-thread.ts", import.meta.url);
const running: Thread<unknown, unknown>[] = [];

function spawn(data: object = {}, transfer: Parameters<typeof wrapPort>[0][] = []) {
  const thread = spawnThread<unknown, unknown>(ENTRY, {
    name: "echo",
    data: { greeting: "hello", ...data },
    transfer,
  });
  running.push(thread);
  return thread;
}

/** Resolves with the next `count` messages. */
function messages(thread: Thread<unknown, unknown>, count: number): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const got: unknown[] = [];
    thread.onError(reject);
    thread.onMessage((message) => {
      got.push(message);
      if (got.length === count) resolve(got);
    });
  });
}

const failure = (thread: Thread<unknown, unknown>): Promise<Error> =>
  new Promise((resolve) => thread.onError(resolve));

afterEach(async () => {
  await Promise.all(running.splice(0).map((thread) => thread.terminate()));
});

test("a thread gets its data and answers in order, and takes what is already here", async () => {
  const thread = spawn();
  for (let n = 0; n < 100; n += 1) thread.post(n);
  const heard: unknown[] = [];
  await new Promise<void>((resolve) => {
    thread.onMessage((message) => {
      if (Array.isArray(message)) heard.push(...message);
      else expect(message).toBe("hello");
      if (heard.length === 100) resolve();
    });
  });
  expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test("bytes are moved when transferred and copied when not", async () => {
  const thread = spawn();
  const [moved, copied] = [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5])];
  thread.post(moved, [moved.buffer]);
  expect(moved.length).toBe(0);
  expect(await messages(thread, 2)).toEqual(["hello", [new Uint8Array([1, 2, 3])]]);
  thread.post(copied);
  expect(copied.length).toBe(2);
});

test("a port given to a thread talks to whoever holds its other end", async () => {
  const [near, far] = createPortPair();
  spawn({ side: far }, [far]);
  const side = wrapPort<string, unknown>(near);
  side.post("early");
  expect(await new Promise((resolve) => side.onMessage(resolve))).toEqual({ side: "early" });
  side.close();
});

test("an uncaught error in a thread is reported, once, with its text", async () => {
  const thread = spawn();
  thread.post("throw");
  expect((await failure(thread)).message).toBe("told to throw");
  expect((await failure(thread)).message, "kept for a late listener").toBe("told to throw");
});

test("a thread that ends unasked is reported", async () => {
  const thread = spawn();
  thread.post("exit");
  expect((await failure(thread)).message).toMatch(/thread echo ended unasked, with code 3/);
});

test("a thread that never yields can be terminated, and that is no failure", async () => {
  const thread = spawn();
  await messages(thread, 1);
  let failures = 0;
  thread.onError(() => {
    failures += 1;
  });
  thread.post("spin");
  await thread.terminate();
  expect(failures).toBe(0);
});
