/**
 * The scenario language itself: what it refuses, where it says so, and that it sees what it should.
 *
 * Method: small texts with one mistake each, and cores with one mistake each.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRaftCore } from "#raft";
import type { Output, RaftModule } from "#raft/types";
import { runScenario, SCENARIO_VERBS } from "#simulation";

type Create = RaftModule["createRaftCore"];

const messageOf = async (text: string): Promise<string> =>
  (await runScenario(text)).failure?.message ?? "passed";

describe("a mistake in a text", () => {
  test.each([
    ["vote 1\n", 'line 1, column 1: "vote" is no verb'],
    ["timeout 1\n", "line 1, column 1: there is no cluster yet"],
    ["cluster three\n", 'line 1, column 9: expected how many voters, got "three"'],
    ["cluster 3 colour=blue\n", "line 1, column 11: expected one of"],
    ["cluster 3\ntimeout 4\n", "line 2, column 9: there is no node 4"],
    ["cluster 3\ncrash 2\ntimeout 2\n", "line 3, column 9: node 2 is down"],
    ["cluster 3\ndeliver 1->2\n", "line 2, column 9: nothing of that is on the wire"],
    ["cluster 3\ndeliver 1->2 letter\n", "line 2, column 14:"],
    ["cluster 3\nforge 1->2 vote last=1/1\n", "line 2, column 17: a message has a term="],
    ["cluster 3\nforge 1->2 vote term=1 last=1\n", "line 2, column 24: expected index/term"],
    ['cluster 3\nexpect 1 halted "x\n', "line 2, column 17: a quote is not closed"],
    ["cluster 3\nsettle 1,2 now\n", 'line 2, column 12: too many words, got "now"'],
    ["cluster 3\nelect 1\npropose 1 x\npropose 1 x\n", 'line 4, column 11: "x" is taken'],
    ["cluster 3\nelect 1\nboot 2 log=1\n", "line 3, column 1: the nodes have begun already"],
    ["cluster 3\nexpect 1 size=1\n", "line 2, column 10: expected one of"],
    ["---\n1 is leader, term 1\n", "line 1, column 1: an outcome without commands"],
    ["property truth\n", "line 1, column 10: expected"],
    ["log sync\n", "line 1, column 1: there is no log yet"],
    ["net run 5\n", "line 1, column 1: there is no net yet"],
  ])("%j is refused with its place", async (text, message) => {
    expect(await messageOf(text)).toContain(message);
  });

  test("an expectation that does not hold says what is there", async () => {
    const text = "cluster 3\nelect 1\nexpect 2 role=leader term=1\n---\n1 is leader, term 1\n";
    expect(await messageOf(text)).toBe(
      "line 3, column 10: expected role=leader, but node 2 has role=follower",
    );
  });

  test("an outcome that is not the text's names the line and shows both", async () => {
    const text = "# t\n\ncluster 1\ntimeout 1\nsync 1\n---\n1 is candidate, term 2\n";
    const message = await messageOf(text);
    expect(message).toContain("line 7, column 1: the text says\n  1 is candidate, term 2\n");
    expect(message).toContain("1 is candidate, term 1");
  });

  test("an outcome that ends early, and one that goes on too long, are noticed", async () => {
    const { text } = await runScenario("cluster 1\ntimeout 1\nsync 1\n");
    const lines = text.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(4);
    expect(await messageOf(lines.slice(0, -1).join("\n"))).toContain("(the end of the outcome)");
    expect(await messageOf(`${lines.join("\n")}\n1 is done\n`)).toContain("(nothing more)");
  });
});

test("a text that was written anew passes, and is not changed by being written again", async () => {
  const first = await runScenario("# t\n\ncluster 3\nelect 1\n\npropose 1 x\nsettle # all\n");
  expect(first.passed).toBe(false);
  const second = await runScenario(first.text);
  expect(second).toMatchObject({ passed: true, failure: undefined, title: "t" });
  expect(second.text).toBe(first.text);
});

/** A core whose outputs are changed before anybody sees them. */
function changed(change: (output: Output) => Output): Create {
  return (options, boot, now) => {
    const core = createRaftCore(options, boot, now);
    const step: typeof core.step = (at, input, outputs) => {
      core.step(at, input, outputs);
      outputs.splice(0, outputs.length, ...outputs.map(change));
    };
    return new Proxy(core, {
      get: (target, name) => {
        if (name === "step") return step;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
}

describe("a core with a mistake", () => {
  test("one that speaks before its disk is found by L3, in an ordinary scenario", async () => {
    const hasty = changed((output) => {
      if (output.kind !== "send") return output;
      const { after: _, ...rest } = output;
      return rest;
    });
    const { failure } = await runScenario("cluster 3\nforge 1->3 vote term=1 last=0/0\n", {
      createRaftCore: hasty,
    });
    expect(failure).toMatchObject({ invariant: "L3", line: 2 });
  });

  test("one that grants every vote is found by L2", async () => {
    const generous = changed((output) =>
      output.kind === "send" && output.message.kind === "voteReply"
        ? { ...output, message: { ...output.message, granted: true } }
        : output,
    );
    const vote = "vote term=1 last=0/0";
    const text = `cluster 3\nforge 1->3 ${vote}\nsync 3\nforge 2->3 ${vote}\nsync 3\n`;
    const { failure } = await runScenario(text, { createRaftCore: generous });
    expect(["L2", "L3"]).toContain(failure?.invariant);
  });

  test("what must break and does not is a failure", async () => {
    expect(await messageOf("cluster 1\nhide events\nbreaks G1\ntimeout 1\nsync 1\n")).toContain(
      "nothing has broken G1",
    );
  });
});

const ROOT = join(import.meta.dirname, "../..");
const verbs = SCENARIO_VERBS.flatMap(([, group]) => Object.entries(group));

test("the page on the language has every verb, as the language describes it", () => {
  const page = readFileSync(join(ROOT, "chapters/11-simulation/scenarios.md"), "utf8");
  const cell = (text: string): string => text.replaceAll("|", "\\|");
  const rows = verbs.map(([, { usage, does }]) => `| \`${cell(usage)}\` | ${cell(does)} |`);
  expect(rows.filter((row) => !page.includes(row))).toEqual([]);
});

test("every verb is used by a scenario", () => {
  const directory = join(ROOT, "test/raft/scenarios");
  const names = readdirSync(directory).filter((name) => name.endsWith(".txt"));
  const lines = names.flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n"));
  const unused = verbs.filter(
    ([name]) => !lines.some((line) => line === name || line.startsWith(`${name} `)),
  );
  expect(unused.map(([name]) => name)).toEqual([]);
});
