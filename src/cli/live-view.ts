/**
 * What `cairn cluster` shows of its nodes: a table for a terminal, a line per change for a file.
 *
 * Invariant: everything here is a function from state to text; `screen.ts` does the writing.
 */

/** One node, as far as it is known. */
export interface NodeView {
  readonly id: string;
  readonly url: string;
  readonly pid: number | undefined;
  /** `starting`: the process has not answered yet. `silent`: it has, and does not now. */
  readonly phase: "starting" | "up" | "silent" | "down" | "failed";
  /** In the words of `/status`, in small letters; empty when unknown. */
  readonly role: string;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  /** It was down, and has not yet applied what the leader had committed since. */
  readonly recovering: boolean;
}

/** How to draw. */
export interface ViewStyle {
  /** Width of the terminal: longer lines are cut, since a wrapped line cannot be drawn over. */
  readonly columns: number;
  readonly color: boolean;
}

const PLAIN = "";
const BOLD_GREEN = "1;32";
const YELLOW = "33";
const RED = "31";
const DIM = "2";

const HEADINGS = ["node", "role", "term", "commit", "applied", "pid", "url"] as const;
/** Numbers stand at the right edge of their columns, words at the left. */
const RIGHT: ReadonlySet<string> = new Set(["term", "commit", "applied", "pid"]);
const GAP = "  ";

function roleOf(node: NodeView): string {
  // Busy, or killed a moment ago: nobody knows before the process is seen to have ended.
  if (node.phase === "silent") return "no answer";
  if (node.phase !== "up") return node.phase;
  return node.recovering ? `${node.role}, catching up` : node.role;
}

function colorOf(node: NodeView): string {
  if (node.phase === "down" || node.phase === "failed") return RED;
  if (node.phase === "starting" || node.phase === "silent") return YELLOW;
  if (node.recovering || node.role === "candidate") return YELLOW;
  return node.role === "leader" ? BOLD_GREEN : PLAIN;
}

function cells(node: NodeView): readonly string[] {
  const numbers = node.phase === "up" ? [node.term, node.commit, node.applied] : ["-", "-", "-"];
  return [node.id, roleOf(node), ...numbers.map(String), String(node.pid ?? "-"), node.url];
}

function paint(text: string, color: string, style: ViewStyle): string {
  return style.color && color !== PLAIN ? `\u001b[${color}m${text}\u001b[0m` : text;
}

function adviceFor(nodes: readonly NodeView[]): string {
  const up = nodes.filter(({ phase }) => phase === "up");
  const leader = up.find(({ role }) => role === "leader");
  if (leader?.pid !== undefined) return `kill the leader: kill -9 ${leader.pid}`;
  if (up.length === 0) return "no node answers yet";
  return "no leader at the moment: reads at level none work, writes wait";
}

/** The table of the nodes, with a last line that says what to do; one string per line. */
export function renderView(nodes: readonly NodeView[], style: ViewStyle): readonly string[] {
  const rows = nodes.map(cells);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return RIGHT.has(HEADINGS[column] ?? "") ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(GAP)
      .trimEnd();
  const cut = (text: string): string => text.slice(0, Math.max(1, style.columns - 1));
  return [
    paint(cut(line(HEADINGS)), DIM, style),
    ...nodes.map((node, index) => paint(cut(line(rows[index] ?? [])), colorOf(node), style)),
    "",
    paint(cut(`${adviceFor(nodes)}    stop everything: Ctrl-C`), DIM, style),
  ];
}

/** One node in one line, for output that is no terminal. */
export function renderLine(node: NodeView): string {
  const pid = node.pid === undefined ? "" : `  pid ${node.pid}`;
  if (node.phase !== "up") return `${node.id} ${roleOf(node)}${pid}`;
  const { id, term, commit, applied, url } = node;
  return `${id} ${roleOf(node)}  term ${term}  commit ${commit}  applied ${applied}${pid}  ${url}`;
}

/** The nodes whose line says something new. Progress of the log alone is no news: it never ends. */
export function changedNodes(
  before: readonly NodeView[],
  after: readonly NodeView[],
): readonly NodeView[] {
  const key = (node: NodeView | undefined): string =>
    node === undefined ? "" : [node.phase, roleOf(node), node.term, node.pid].join(" ");
  return after.filter((node, index) => key(node) !== key(before[index]));
}

/** What a visitor should notice, in sentences: a new leader, a node that is back. */
export function describeChanges(
  before: readonly NodeView[],
  after: readonly NodeView[],
): readonly string[] {
  const sentences: string[] = [];
  const leads = (node: NodeView | undefined): boolean =>
    node?.phase === "up" && node.role === "leader";
  for (const [index, node] of after.entries()) {
    const old = before[index];
    if (leads(node) && (!leads(old) || old?.term !== node.term)) {
      sentences.push(`${node.id} is the leader in term ${node.term}`);
    }
    if (old?.recovering === true && !node.recovering && node.phase === "up") {
      sentences.push(`${node.id} is back and has caught up: applied ${node.applied}`);
    }
  }
  return sentences;
}
