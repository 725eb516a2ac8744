/**
 * The examples of the README are programs. Method: take each out of the text, give it a directory
 * of its own, and run it with Node on what was built.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the example that contains a text, with its data in a directory of its own. */
function runExample(text: string, data: string): string {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const examples = [...readme.matchAll(/```(?:ts|js)\n([\s\S]*?)```/g)].map(
    (match) => match[1] ?? "",
  );
  const example = examples.find((one) => one.includes(text)) ?? "";
  expect(example).toContain(data);
  // Inside the package, so that its own name leads to what was built.
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".readme-"));
  try {
    const file = join(dir, "example.mjs");
    writeFileSync(file, example.replace(data, join(dir, "data")));
    return execFileSync(process.execPath, [file], { encoding: "utf8" });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("the example of the engine runs and prints what it stored", () => {
  const printed = runExample("CairnLevel", "data/shop");
  expect(printed).toContain("book/1 { title: 'The Rings of Saturn' }");
});

test("the example of transactions runs and prints what it stored", () => {
  expect(runExample("openMvcc", "data/bank")).toBe("ada\nbob\n");
});
