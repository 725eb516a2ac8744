/**
 * K1: a command of a session takes effect at most once. Method: directed histories for each way in
 * which a repetition can come: at once, much later, after restarts, on another machine that was
 * given a copy, behind a later command, after the session is forgotten.
 */
import { describe, expect, test } from "vitest";
import type { SimulatedDisk } from "#platform/types";
import type { KvAnswer, KvCommand, KvMachine } from "#replica";
import * as replica from "#replica";
import { decodeKvAnswer } from "#replica";
import { b, t } from "./model.ts";
import { absent, apply, command, entryOf, freshDisk, openOn, put, worked } from "./support.ts";

/** A machine and the log that it is given, one command at a time. */
class Client {
  disk: SimulatedDisk = freshDisk();
  machine!: KvMachine;
  index = 0;
  timeMs = 1_700_000_000_000;

  async open(): Promise<this> {
    this.machine = await openOn(replica, this.disk);
    return this;
  }

  async say(one: KvCommand): Promise<KvAnswer> {
    this.index += 1;
    this.timeMs += 10;
    const entry = entryOf(replica, this.index, one, this.timeMs);
    const [answer] = await apply(this.machine, [entry]);
    return decodeKvAnswer(answer ?? new Uint8Array(0));
  }

  async session(): Promise<number> {
    const answer = await this.say({ kind: "openSession" });
    return answer.kind === "session" ? answer.session : 0;
  }

  /** Adds a letter to a text: twice would show. */
  add(letter: string, once: { session: number; serial: number } | null): Promise<KvAnswer> {
    const next = this.text() + letter;
    return this.say(command([put("text", next)], once === null ? {} : { once }));
  }

  text(): string {
    const found = this.machine.read({ kind: "get", key: b("text") });
    return found.kind === "got" && found.entry !== null ? t(found.entry.value) : "";
  }
}

const refused = (refusal: string): unknown => ({ kind: "refused", refusal });

describe("a repeated command of a session", () => {
  test("is answered as the first time and has no effect, however late it comes", async () => {
    const client = await new Client().open();
    const session = await client.session();
    const first = await client.add("a", { session, serial: 1 });
    await client.add("-", null);
    expect(await client.add("a", { session, serial: 1 })).toEqual(first);
    await client.machine.checkpoint();
    expect(await client.add("other", { session, serial: 1 })).toEqual(first);
    expect(client.text()).toBe("a-");
  });

  test("is recognised after a restart, a kill, and on a machine with a copy", async () => {
    const client = await new Client().open();
    const session = await client.session();
    const first = await client.add("a", { session, serial: 1 });
    await worked(client.machine, client.machine.close());
    await client.open();
    expect(await client.add("b", { session, serial: 1 })).toEqual(first);
    client.disk = client.disk.kill();
    await client.open();
    expect(await client.add("c", { session, serial: 1 })).toEqual(first);
    await worked(client.machine, client.machine.snapshot("copies/c"));
    const { index } = client;
    const disk = freshDisk();
    const file = disk.open("copies/c", "create-new");
    file.write(0, client.disk.content("copies/c"));
    file.close();
    client.disk = disk;
    await client.open();
    await worked(client.machine, client.machine.restore("copies/c", index));
    expect(await client.add("d", { session, serial: 1 })).toEqual(first);
    expect(client.text()).toBe("a");
  });

  test("is refused behind a later one: its answer is gone, and it must not run", async () => {
    const client = await new Client().open();
    const session = await client.session();
    await client.add("a", { session, serial: 1 });
    await client.add("b", { session, serial: 5 });
    expect(await client.add("c", { session, serial: 4 })).toEqual(refused("serial-passed"));
    expect(await client.add("c", { session, serial: 1 })).toEqual(refused("serial-passed"));
    expect(client.text()).toBe("ab");
  });

  test("in one batch with the first runs once as well", async () => {
    const client = await new Client().open();
    const session = await client.session();
    const one = command([put("n", "x")], {
      once: { session, serial: 1 },
      conditions: [absent("n")],
    });
    const entries = [2, 3, 4].map((index) => entryOf(replica, index, one, client.timeMs));
    const answers = await apply(client.machine, entries);
    const texts = answers.map((answer) => Buffer.from(answer ?? []).toString("hex"));
    expect(new Set(texts).size).toBe(1);
    expect(decodeKvAnswer(answers[2]!)).toMatchObject({ held: true, revision: 2 });
  });
});

describe("a session that is not known", () => {
  test("was never opened, or was closed: its commands are refused", async () => {
    const client = await new Client().open();
    expect(await client.add("a", { session: 99, serial: 1 })).toEqual(refused("session-unknown"));
    const session = await client.session();
    await client.say({ kind: "closeSession", session });
    expect(await client.add("a", { session, serial: 1 })).toEqual(refused("session-unknown"));
    expect(client.text()).toBe("");
  });

  test("was unused for too long by the log's time, which never goes back", async () => {
    const client = await new Client().open();
    const [idle, used] = [await client.session(), await client.session()];
    client.timeMs += 9000;
    await client.add("a", { session: used, serial: 1 });
    client.timeMs -= 8000;
    await client.add("b", { session: used, serial: 2 });
    client.timeMs += 8000 + 1500;
    expect(await client.add("c", { session: used, serial: 3 })).toMatchObject({ held: true });
    expect(await client.add("x", { session: idle, serial: 1 })).toEqual(refused("session-unknown"));
    expect(client.text()).toBe("abc");
  });

  test("had to go for others: the one unused for longest goes first", async () => {
    const client = await new Client().open();
    const [one, two, three] = [
      await client.session(),
      await client.session(),
      await client.session(),
    ];
    await client.add("a", { session: one, serial: 1 });
    await client.session();
    expect(client.machine.status().sessions).toBe(3);
    expect(await client.add("b", { session: two, serial: 1 })).toEqual(refused("session-unknown"));
    expect(await client.add("c", { session: one, serial: 2 })).toMatchObject({ held: true });
    expect(await client.add("d", { session: three, serial: 1 })).toMatchObject({ held: true });
  });

  test("had to go for the bytes of others' answers; the one that is served stays", async () => {
    const client = await new Client().open();
    const [one, two] = [await client.session(), await client.session()];
    await client.say(command([put("big", "x".repeat(250))]));
    const get = { kind: "get", key: b("big") } as const;
    await client.say(command([get], { once: { session: one, serial: 1 } }));
    expect(client.machine.status().sessions).toBe(2);
    await client.say(command([get], { once: { session: two, serial: 1 } }));
    expect(client.machine.status().sessions).toBe(1);
    expect(client.machine.status().sessionBytes).toBeLessThanOrEqual(300);
    const again = await client.say(command([get], { once: { session: two, serial: 1 } }));
    expect(again).toMatchObject({ held: true });
  });
});

test("an answer that would be too large has no effect, and stays refused", async () => {
  const client = await new Client().open();
  const session = await client.session();
  const value = "x".repeat(700_000);
  await client.say(command([put("one", value), put("two", value)]));
  const once = { session, serial: 1 };
  const both = [
    put("three", "3"),
    { kind: "get", key: b("one") } as const,
    { kind: "get", key: b("two") } as const,
  ];
  expect(await client.say(command(both, { once }))).toEqual(refused("answer-too-large"));
  expect(await client.say(command([put("three", "3")], { once }))).toEqual(
    refused("answer-too-large"),
  );
  expect(client.machine.read({ kind: "get", key: b("three") })).toEqual({
    kind: "got",
    entry: null,
  });
  const range = { kind: "range", from: b("a"), before: null, limit: 10 } as const;
  expect(await client.say(command([range]))).toEqual(refused("answer-too-large"));
  expect(await client.say(command([{ ...range, limit: 1 }]))).toMatchObject({ held: true });
});
