/**
 * The example of the README is a program. Method: take it out of the text, give it a directory of
 * its own, and run it with Node on what was built.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

test("the example of the README runs and prints what it stored", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(example).toContain("CairnLevel");
  // Inside the package, so that its own name leads to what was built.
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".readme-"));
  try {
    const file = join(dir, "example.mjs");
    writeFileSync(file, example.replace("data/shop", join(dir, "shop")));
    const printed = execFileSync(process.execPath, [file], { encoding: "utf8" });
    expect(printed).toContain("book/1 { title: 'The Rings of Saturn' }");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
