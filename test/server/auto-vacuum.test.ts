/**
 * VACUUM at intervals. Method: short intervals on a listener that counts; what must not happen is
 * looked for after what must.
 */
import { expect, test } from "vitest";
import { startAutoVacuum } from "#server";
import type { Command } from "#sqlite/types";
import { atTestEnd, waitUntil } from "../support/processes.ts";

interface Sent {
  readonly commands: Command[];
  readonly notices: string[];
  isLeader: boolean;
  answer: () => Promise<unknown>;
}

function start(everyMs: number): Sent {
  const sent: Sent = {
    commands: [],
    notices: [],
    isLeader: true,
    answer: async () => undefined,
  };
  const stop = startAutoVacuum({
    everyMs,
    isLeader: () => sent.isLeader,
    execute: (command) => {
      sent.commands.push(command);
      return sent.answer();
    },
    onNotice: (text) => sent.notices.push(text),
  });
  atTestEnd(stop);
  return sent;
}

const soon = (what: string, probe: () => boolean): Promise<true> =>
  waitUntil(what, () => (probe() ? true : undefined));

test("the leader sends VACUUM again and again, as a client would", async () => {
  const sent = start(5);
  await soon("three of them", () => sent.commands.length >= 3);
  expect(sent.commands[0]).toMatchObject({ kind: "execute", statements: [{ sql: "VACUUM" }] });
});

test("who does not lead sends nothing, until it does", async () => {
  const sent = start(5);
  sent.isLeader = false;
  const other = start(5);
  await soon("many of another's", () => other.commands.length >= 5);
  expect(sent.commands).toEqual([]);
  sent.isLeader = true;
  await soon("one", () => sent.commands.length > 0);
});

test("a second one waits for the first, and a failure is told and not the end", async () => {
  const sent = start(5);
  let fail: ((error: Error) => void) | undefined;
  sent.answer = () =>
    new Promise((_, reject) => {
      fail = reject;
    });
  const other = start(5);
  await soon("many of another's", () => other.commands.length >= 5);
  expect(sent.commands).toHaveLength(1);
  sent.answer = async () => undefined;
  fail?.(new Error("leader not found"));
  await soon("the next", () => sent.commands.length > 1);
  expect(sent.notices).toEqual(["automatic VACUUM: leader not found"]);
});

test("0 means never", async () => {
  const sent = start(0);
  const other = start(5);
  await soon("many of another's", () => other.commands.length >= 5);
  expect(sent.commands).toEqual([]);
});
