/**
 * Every fence of a chapter is one of the kinds that are checked. Method: quotes and `npm` commands
 * are compared by `chapter-quotes`, transcripts are run by `test/learn`; here code is run, figures
 * are made again, and each `npx cairn …` is read by the real command line.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { createProgram } from "#cli";
import { judgingOf, pageOf, pagesOf, stepped } from "./book.ts";
import { pages, readPage } from "./markdown.ts";
import { root } from "./sources.ts";

const KINDS: readonly RegExp[] = [
  /^ts [\w./-]+\/[\w./-]+(#[\w.]+)?$/,
  /^ts run$/,
  /^text figure=\w+$/,
  /^sh$/,
  /^console$/,
];

/** Where a fence without a language is a sketch: pseudo-code, a drawing on a board. */
const SKETCHES = /\/(hints|notes|facilitator)\.md$|\/bugs\//;

/** The command line, made to read and do nothing. */
function readOnlyProgram(): Command {
  const quiet = (command: Command): Command => {
    command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    command.action(() => {});
    for (const inner of command.commands) quiet(inner);
    return command;
  };
  const program = createProgram("0.0.0");
  for (const command of program.commands) quiet(command);
  return program.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
}

/** What is wrong with a command; undefined if nothing is. */
function refused(args: readonly string[]): string | undefined {
  if (args.every((arg) => arg === "--plain")) return undefined;
  try {
    readOnlyProgram().parse([...args], { from: "user" });
  } catch (error) {
    const { exitCode } = error as { exitCode?: number };
    return exitCode === 0 ? undefined : (error as Error).message;
  }
  return lostIn(args);
}

/** A step, chapter, lab or module that a command names and the book lacks. */
function lostIn(args: readonly string[]): string | undefined {
  const [command = "", ...rest] = args;
  if (
    !["test", "hint", "solution", "diff", "reset", "crash", "quiz", "start", "bench"].includes(
      command,
    )
  ) {
    return undefined;
  }
  const isValue = (index: number): boolean => rest[index - 1]?.startsWith("--") === true;
  for (const word of rest.filter((arg, index) => /^\d\d\b/.test(arg) && !isValue(index))) {
    const page = stepped.map(pageOf).find(({ name }) => name.startsWith(word.slice(0, 2)));
    if (page === undefined) return `there is no chapter ${word.slice(0, 2)}`;
    const part = word.slice("00.".length);
    const isStep = page.steps.some(({ id }) => id === word);
    const isLab = page.labs.some(({ slug }) => slug === part);
    if (part !== "" && !(command === "bench" ? isLab : isStep)) return `there is no ${word}`;
  }
  return undefined;
}

/** Commands `npx cairn …` in a text, each as its arguments. */
function cairnCommands(text: string): string[][] {
  return [...text.matchAll(/\bnpx cairn\b([^\n`|;&#]*)/g)].map((match) => {
    const words = (match[1] ?? "").trim().match(/"[^"]*"|\S+/g) ?? [];
    return words.map((word) => word.replace(/^"|"$/g, ""));
  });
}

/** A command in prose may stand for many: `npx cairn test NN.N`, `…`. */
function isExample(args: readonly string[]): boolean {
  return args.some((arg) => /…|\.\.\.|[A-Z]{2}|<|>|^\[/.test(arg));
}

test("every command of the book is one that cairn knows", () => {
  const wrong: string[] = [];
  for (const path of pages()) {
    const { fences, prose } = readPage(path);
    const check = (text: string, forgive?: RegExp): void => {
      for (const args of cairnCommands(text)) {
        const reason = isExample(args) ? undefined : refused(args);
        if (reason === undefined || forgive?.test(reason) === true) continue;
        wrong.push(`${path}: npx cairn ${args.join(" ")}: ${reason}`);
      }
    };
    const typed = fences.filter(({ info }) => /^(sh|console)$/.test(info));
    for (const { text } of typed) check(text);
    // Prose speaks of a command without saying for what.
    for (const line of prose)
      for (const span of line.match(/`[^`]+`/g) ?? []) check(span, /missing/);
  }
  expect(wrong).toEqual([]);
});

test("a command that does not exist is noticed", () => {
  expect(refused(["test", "00.1", "--all"])).toBeUndefined();
  expect(refused(["status"])).toBeUndefined();
  expect(refused(["tets", "00.1"])).toMatch(/unknown command/);
  expect(refused(["test", "--everything"])).toMatch(/unknown option/);
  expect(refused(["crash"])).toMatch(/missing required argument/);
  expect(refused(["test", "00.77"])).toBe("there is no 00.77");
});

describe.each(stepped)("%s", (name) => {
  const fences = pagesOf(name).flatMap((path) => readPage(path).fences);

  test("has only fences of the kinds that are checked", () => {
    const strange = fences.filter(({ info, path }) => {
      if (info === "" && SKETCHES.test(path)) return false;
      return !KINDS.some((kind) => kind.test(info));
    });
    expect(strange.map(({ path, line, info }) => `${path}:${line}: "${info}"`)).toEqual([]);
  });

  test("its figures are what the code makes", async () => {
    const { figures } = await judgingOf(name);
    for (const { path, line, info, text } of fences) {
      const figure = /^text figure=(\w+)$/.exec(info)?.[1];
      if (figure === undefined) continue;
      const made = figures[figure]?.() ?? `a figure called ${figure}`;
      expect(text.trimEnd(), `${path}:${line}: ${figure}`).toBe(made.trimEnd());
    }
    const used = fences.map(({ info }) => /^text figure=(\w+)$/.exec(info)?.[1]);
    expect(Object.keys(figures).filter((figure) => !used.includes(figure))).toEqual([]);
  });

  test("its examples run", async () => {
    const examples = fences.filter(({ info }) => info === "ts run");
    mkdirSync(join(root, "work"), { recursive: true });
    const dir = mkdtempSync(join(root, "work", ".mistake-example-"));
    try {
      for (const [index, { path, line, text }] of examples.entries()) {
        const file = join(dir, `example-${index}.ts`);
        writeFileSync(file, text);
        await expect(import(/* @vite-ignore */ file), `${path}:${line}`).resolves.toBeDefined();
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
