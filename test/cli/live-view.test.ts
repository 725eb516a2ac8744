/**
 * What `cairn cluster` shows. Method: states in, text out; the screen writes to an array.
 */
import { describe, expect, test } from "vitest";
import {
  changedNodes,
  createScreen,
  describeChanges,
  introduction,
  type NodeView,
  renderLine,
  renderView,
  type ScreenStream,
} from "#cli";

const node = (number: number, changes: Partial<NodeView> = {}): NodeView => ({
  id: `n${number}`,
  url: `http://127.0.0.1:400${number}`,
  pid: 1000 + number,
  phase: "up",
  role: "follower",
  term: 3,
  commit: 120,
  applied: 119,
  recovering: false,
  ...changes,
});

const leader = node(1, { role: "leader", applied: 120 });
const down = node(3, { phase: "down", pid: undefined, role: "" });
const plain = { columns: 100, color: false };
const ESCAPE = "\u001b";
const COLOR = new RegExp(`${ESCAPE}\\[[\\d;]*m`, "g");

describe("the table", () => {
  test("shows role, term, commit, applied, process and address of each node", () => {
    expect(renderView([leader, node(2), down], plain)).toEqual([
      "node  role      term  commit  applied   pid  url",
      "n1    leader       3     120      120  1001  http://127.0.0.1:4001",
      "n2    follower     3     120      119  1002  http://127.0.0.1:4002",
      "n3    down         -       -        -     -  http://127.0.0.1:4003",
      "",
      "kill the leader: kill -9 1001    stop everything: Ctrl-C",
    ]);
  });

  test("tells a process that answers no more from one that starts", () => {
    const silent = node(2, { phase: "silent", role: "" });
    expect(renderView([leader, silent], plain)[2]).toMatch(/^n2 +no answer +- +- +- +1002/);
    expect(renderLine(silent)).toBe("n2 no answer  pid 1002");
    expect(changedNodes([node(2)], [silent])).toEqual([silent]);
  });

  test("says so when there is no leader", () => {
    expect(renderView([node(1), node(2)], plain).at(-1)).toMatch(/^no leader at the moment/);
    expect(renderView([down], plain).at(-1)).toMatch(/^no node answers yet/);
  });

  test("no line is as wide as the terminal, since it would wrap", () => {
    for (const columns of [1, 10, 40]) {
      for (const line of renderView([leader, node(2), down], { columns, color: false })) {
        expect(line.length).toBeLessThanOrEqual(Math.max(1, columns - 1));
      }
    }
  });

  test("color changes nothing but the color", () => {
    const colored = renderView([leader, node(2), down], { columns: 100, color: true });
    const bare = colored.map((line) => line.replaceAll(COLOR, ""));
    expect(bare).toEqual(renderView([leader, node(2), down], plain));
    expect(colored[1]).toContain(`${ESCAPE}[1;32m`);
    expect(colored[3]).toContain(`${ESCAPE}[31m`);
  });
});

describe("changes", () => {
  test("a node's line is repeated for a new role, term, process or state, not for progress", () => {
    const before = [leader, node(2), down];
    expect(changedNodes(before, [{ ...leader, commit: 500, applied: 500 }, node(2), down])).toEqual(
      [],
    );
    expect(changedNodes(before, [leader, node(2, { term: 4 }), node(3)])).toEqual([
      node(2, { term: 4 }),
      node(3),
    ]);
    expect(changedNodes([], [leader])).toEqual([leader]);
  });

  test("a line holds all that the table holds", () => {
    expect(renderLine(leader)).toBe(
      "n1 leader  term 3  commit 120  applied 120  pid 1001  http://127.0.0.1:4001",
    );
    expect(renderLine(down)).toBe("n3 down");
    expect(renderLine(node(2, { recovering: true }))).toContain("follower, catching up");
  });

  test("a new leader is told, also when the old one leads again in another term", () => {
    expect(describeChanges([node(1)], [leader])).toEqual(["n1 is the leader in term 3"]);
    expect(describeChanges([leader], [{ ...leader, term: 4 }])).toEqual([
      "n1 is the leader in term 4",
    ]);
    expect(describeChanges([leader], [{ ...leader, commit: 500 }])).toEqual([]);
  });

  test("a node that is back is told when it has caught up, not before", () => {
    const catching = node(3, { recovering: true });
    expect(describeChanges([down], [catching])).toEqual([]);
    expect(describeChanges([catching], [node(3)])).toEqual([
      "n3 is back and has caught up: applied 119",
    ]);
  });
});

describe("the screen", () => {
  const collect = (stream: Partial<ScreenStream>) => {
    const written: string[] = [];
    return { written, stream: { ...stream, write: (text: string) => written.push(text) } };
  };

  test("a file gets lines and no control sequence", () => {
    const { written, stream } = collect({});
    const screen = createScreen(stream, {});
    screen.show(["table"]);
    screen.say("hello");
    screen.end();
    expect(written.join("")).toBe("hello\n");
  });

  test("a terminal keeps the block below what is said, and gets its cursor back", () => {
    const { written, stream } = collect({ isTTY: true, columns: 40 });
    const screen = createScreen(stream, {});
    screen.show(["a", "b"]);
    screen.say("hello");
    screen.show(["c"]);
    screen.end();
    expect(written).toEqual([
      `${ESCAPE}[?25la\nb\n`,
      `${ESCAPE}[2A\r${ESCAPE}[0Jhello\na\nb\n`,
      `${ESCAPE}[2A\r${ESCAPE}[0Jc\n`,
      `${ESCAPE}[?25h`,
    ]);
    expect(screen.style()).toEqual({ columns: 40, color: true });
  });

  test("NO_COLOR is honoured, and so is a terminal that can do nothing", () => {
    const terminal = { isTTY: true, write: () => true };
    expect(createScreen(terminal, { NO_COLOR: "1" }).style().color).toBe(false);
    expect(createScreen(terminal, { NO_COLOR: "" }).style().color).toBe(true);
    expect(createScreen(terminal, { TERM: "dumb" }).live).toBe(false);
  });
});

test("the introduction names every address, a line to paste and the leader's process", () => {
  const nodes = [leader, node(2), node(3)];
  const text = introduction({ nodes, dir: "data/cluster", sample: true, restartSeconds: 3 });
  for (const { url } of nodes) expect(text).toContain(url);
  expect(text).toContain("kill -9 1001");
  expect(text).toMatch(/^ {2}curl -s 'http:.*best_sellers.*'$/m);
  expect(introduction({ nodes, dir: "d", sample: false, restartSeconds: 3 })).not.toContain(
    "best_sellers",
  );
});
