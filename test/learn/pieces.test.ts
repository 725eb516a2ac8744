/**
 * The small parts of the runner: style, sections, code parts, progress, load errors. Method:
 * examples; and every part that a chapter names is looked for in its solution.
 */
import { describe, expect, test } from "vitest";
import {
  codePart,
  createOutput,
  createStyle,
  explainLoadError,
  keepFailure,
  keptFailure,
  parseProgress,
  renderFailure,
  renderMarkdown,
  sectionOf,
  sectionsOf,
  withMissingParts,
  wrap,
} from "#learn";
import { pageOf, stepped } from "../house/book.ts";
import { exists, textOf } from "../house/sources.ts";

const environment = (values: Record<string, string>): Record<string, string> => values;

describe("style", () => {
  const styleWith = (values: Record<string, string>, isTerminal = true, isPlain = false) =>
    createStyle({ isTerminal, isPlain, environment: environment(values) });

  test("colors only a terminal, and only if nobody minds", () => {
    const colored = styleWith({}).paint("bad", "x");
    expect(colored).toContain("\u001b[31m");
    expect(styleWith({ NO_COLOR: "1" }).paint("bad", "x")).toBe("x");
    expect(styleWith({ NO_COLOR: "" }).paint("bad", "x")).toBe(colored);
    expect(styleWith({ TERM: "dumb" }).paint("bad", "x")).toBe("x");
    expect(styleWith({}, false).paint("bad", "x")).toBe("x");
    expect(styleWith({}, true, true).paint("bad", "x")).toBe("x");
  });

  test("has only ASCII when it is plain, whatever a reader's code prints", () => {
    let text = "";
    const out = createOutput({ write: (part) => (text += part) }, styleWith({ CAIRN_PLAIN: "1" }));
    out.say("✓ ✗ ○ … → ≥ é \u{1f600} \u001b[2J");
    expect(text).toBe("+ x o ... -> >= \\u{e9} \\u{1f600} \\u{1b}[2J\n");
  });
});

describe("pages", () => {
  const page = [
    "# Title",
    "## 01.1 One",
    "### 1",
    "first",
    "```",
    "## 01.9 not a heading",
    "```",
    "### 2",
    "second",
    "## 01.10 Ten",
    "ten",
    "# Other",
    "not ten",
  ].join("\n");

  test("are found by the first word of a heading, and fences hide headings", () => {
    expect(sectionOf(page, "01.9")).toBeUndefined();
    expect(sectionOf(page, "01.10")?.text).toBe("ten");
    const hints = sectionsOf(sectionOf(page, "01.1")?.text ?? "", 3);
    expect(hints.map(({ heading }) => heading)).toEqual(["1", "2"]);
    expect(sectionOf("## Step 01.3: Sync\ntext", "01.3")?.text).toBe("text");
  });

  test("are wrapped for a terminal, and code keeps its lines", () => {
    const style = createStyle({ isTerminal: false, environment: {} });
    const long = "word ".repeat(40).trim();
    const lines = renderMarkdown(style, `${long}\n\n- item ${long}\n\n\`\`\`ts\n  a\n\`\`\`\n`);
    expect(lines.every((line) => line.length <= 96)).toBe(true);
    expect(lines).toContain("      a");
    expect(lines.filter((line) => line.startsWith("  word")).length).toBeGreaterThan(0);
  });
});

describe("lines", () => {
  test("keep the blanks before them and between their words", () => {
    expect(wrap("    a  b\n  c d", 5)).toEqual(["    a", "    b", "  c d"]);
    expect(wrap("  old   new", 20)).toEqual(["  old   new"]);
    expect(wrap("", 20)).toEqual([""]);
  });

  test("of a lab's failure name the lab's command, since a lab is no step", () => {
    const lesson = { happened: "h", why: "w" };
    const at = { check: "c", kind: "crash", rule: "", ruleText: "", seed: 1 } as const;
    const text = renderFailure({ ...at, step: "crash 00", lesson, isWaiting: false });
    expect(text).toContain("Again           npx cairn crash 00");
    expect(text).not.toContain("Hint");
  });
});

describe("parts of code", () => {
  const text = [
    "/** Says it. */",
    "export function say(",
    "  what: string,",
    "): void {",
    "  append(what);",
    "}",
    "",
    "class Log {",
    "  readonly size = 0;",
    "",
    "  /** Adds. */",
    "  append(what: string): void {",
    "    if (what) {",
    "    }",
    "  }",
    "}",
  ].join("\n");

  test("are whole, with their comments", () => {
    expect(codePart(text, "say")).toEqual({
      line: 1,
      text: text.split("\n").slice(0, 6).join("\n"),
    });
    expect(codePart(text, "Log.append")?.line).toBe(11);
    expect(codePart(text, "Log.append")?.text.split("\n").length).toBe(5);
    expect(codePart(text, "size")?.text).toBe("  readonly size = 0;");
    expect(codePart(text, "nothing")).toBeUndefined();
  });

  test.each(stepped)("that the steps of %s name are in its solution", (name) => {
    const lost = pageOf(name).steps.flatMap(({ id, files, parts }) => {
      const texts = files
        .map((file) => `chapters/${name}/solution/${file}`)
        .filter(exists)
        .map(textOf);
      const missing = parts.filter((part) => !texts.some((one) => codePart(one, part)));
      return missing.map((part) => `${id} ${part}`);
    });
    expect(lost).toEqual([]);
  });
});

describe("progress", () => {
  test("is refused when it is damaged, with a reason", () => {
    const sound = '{"version":1,"steps":{"01.1":{"attempts":1,"hints":0}},"modules":{},"quiz":{}}';
    expect(parseProgress(sound)).toMatchObject({ version: 1 });
    for (let length = 0; length < sound.length; length += 1) {
      expect(parseProgress(sound.slice(0, length))).toBe("is damaged");
    }
    expect(parseProgress(sound.replace('"attempts":1', '"attempts":"1"'))).toBe("is damaged");
    expect(parseProgress(sound.replace('"version":1', '"version":2'))).toMatch(/newer/);
  });

  test("keeps a failure with its bytes", () => {
    const failure = {
      step: "01.1",
      check: "c",
      kind: "unit",
      rule: "W5",
      ruleText: "",
      seed: 1,
      isWaiting: false,
      lesson: {
        happened: "h",
        why: "w",
        bytes: {
          title: "t",
          bytes: Uint8Array.of(0, 255),
          fields: [{ at: 0, bytes: 1, name: "f" }],
        },
      },
    } as const;
    const { lastFailure } = keepFailure(failure);
    const kept = JSON.parse(JSON.stringify(lastFailure)) as NonNullable<typeof lastFailure>;
    expect(keptFailure(kept)).toEqual(failure);
  });
});

describe("a module that cannot be loaded", () => {
  test("is told by file and line, on every system", () => {
    const syntax = new Error(
      'Transform failed with 1 error:\nC:\\book\\work\\wal\\log.ts:12:5: ERROR: Expected ";"',
    );
    expect(explainLoadError(syntax)).toMatchObject({ place: "work/wal/log.ts:12" });
    expect(explainLoadError("text").happened).toContain("threw string");
  });

  test("that lacks a part gets a stub that says so, and only for what the starter has", () => {
    const parts = [
      { step: "01.1", name: "encodeFrame" },
      { step: "01.2", name: "Wal.append" },
    ];
    const module = withMissingParts({ other: 1 }, parts, ["encodeFrame"]) as {
      encodeFrame(): void;
    };
    expect(() => module.encodeFrame()).toThrow("encodeFrame is written in step 01.1");
    expect(Object.keys(module)).toEqual(["other", "encodeFrame"]);
  });
});
