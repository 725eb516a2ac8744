/**
 * What `chapters/appendix/http-api.md` shows: commands that a reader types, in the order in which
 * they are run against one fresh node, with a sentence for each.
 *
 * In the page the node is at `localhost:4001`; in the test it is anywhere.
 */

/** One command with its place in the page. */
export interface TranscriptStep {
  /** Opens a section. */
  readonly heading?: string;
  /** Stands before the command. */
  readonly text?: string;
  /** Behind `curl -s`. Quotes hold blanks together. */
  readonly curl: string;
  /** Answers with something that is no text: only its size or head is shown. */
  readonly pipe?: "head -c 15" | "wc -c" | "head -4";
}

const NODE = "localhost:4001";

/** Every endpoint of the table of routes is in here; a test counts them. */
export const TRANSCRIPTS: readonly TranscriptStep[] = [
  {
    heading: "Statements",
    text: "`/db/execute` runs statements for their effect. An error of one statement is in its place, and the status is still 200.",
    curl: `-X POST '${NODE}/db/execute?pretty' -H 'Content-Type: application/json' -d '["CREATE TABLE foo (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)"]'`,
  },
  {
    text: "Parameters stand behind the text, by position or by name.",
    curl: `-X POST '${NODE}/db/execute' -d '[["INSERT INTO foo(name, age) VALUES(?, ?)", "fiona", 20], ["INSERT INTO foo(name, age) VALUES(:name, :age)", {"name": "declan", "age": 30}], "INSRT"]'`,
  },
  {
    text: "`transaction` runs all or nothing; `raft_index` tells the place in the log.",
    curl: `-X POST '${NODE}/db/execute?transaction&raft_index' -d '["UPDATE foo SET age = 21 WHERE id = 1", "DELETE FROM foo WHERE id = 9"]'`,
  },
  {
    text: "`/db/query` runs reads and refuses writes. With GET, one statement is in `q`.",
    curl: `-G '${NODE}/db/query' --data-urlencode 'q=SELECT * FROM foo'`,
  },
  {
    text: "With `associative`, rows are objects.",
    curl: `-X POST '${NODE}/db/query?associative&level=strong' -d '["SELECT * FROM foo WHERE id = 1"]'`,
  },
  {
    text: "A body of type `text/plain` is one statement.",
    curl: `-X POST '${NODE}/db/query?level=linearizable' -H 'Content-Type: text/plain' -d 'SELECT count(*) AS n FROM foo'`,
  },
  {
    text: "`/db/request` takes both kinds.",
    curl: `-X POST '${NODE}/db/request' -d '[["INSERT INTO foo(name) VALUES(?)", "sinead"], "SELECT name FROM foo ORDER BY id"]'`,
  },
  {
    text: "`/db/sql` shows how statements would be run: as they are, and it finds errors of syntax.",
    curl: `-X POST '${NODE}/db/sql' -d '["SELECT random()", "SELECT FROM"]'`,
  },
  {
    heading: "Queued writes",
    text: "`queue` answers before anything is written; `wait` waits for the batch. The number rises with every request.",
    curl: `-X POST '${NODE}/db/execute?queue' -d '["INSERT INTO foo(name) VALUES(1)"]'`,
  },
  {
    text: "Without statements it is a barrier: everything before it is written.",
    curl: `-X POST '${NODE}/db/execute?queue&wait&timeout=10s' -d '[]'`,
  },
  {
    heading: "Backup, load and boot",
    text: "`/db/backup` copies the database: a file, or text with `fmt=sql`.",
    curl: `'${NODE}/db/backup?fmt=sql&tables=foo'`,
  },
  { curl: `'${NODE}/db/backup'`, pipe: "head -c 15" },
  {
    text: "`/db/load` runs such text, or replaces the database by a file, on a cluster of any size.",
    curl: `-X POST '${NODE}/db/load' -H 'Content-Type: text/plain' -d 'CREATE TABLE bar (n); INSERT INTO bar VALUES (1)'`,
  },
  {
    text: "`/boot` does the latter for a node that is alone.",
    curl: `-i -X POST '${NODE}/boot' -d 'no database, however long it may be'`,
  },
  {
    heading: "Keys and values",
    text: "`/kv/` is not rqlite's: keys and values, replicated like everything else. A key is the rest of the path.",
    curl: `-o /dev/null -w '%{http_code}\\n' -X PUT '${NODE}/kv/colour' -d 'blue'`,
  },
  { curl: `'${NODE}/kv/colour'` },
  {
    heading: "The node and its cluster",
    text: "`/readyz` answers 200 or 503, with a line for each thing that was looked at.",
    curl: `'${NODE}/readyz?sync'`,
  },
  {
    text: "`/status` is a tree; `key` picks a part of it.",
    curl: `'${NODE}/status?pretty&key=store.leader'`,
  },
  { text: "`/nodes` asks every node.", curl: `'${NODE}/nodes?pretty&ver=2'` },
  { text: "`/leader` is one of them.", curl: `'${NODE}/leader'` },
  {
    text: "POST has it hand over, to the node that the body names.",
    curl: `-X POST '${NODE}/leader?wait' -H 'Content-Type: application/json' -d '{"id": "n1"}'`,
  },
  {
    text: "`/remove` takes a node out of the cluster. Nothing happens if it is not in it.",
    curl: `-i -X DELETE '${NODE}/remove' -d '{"id": "n9"}'`,
  },
  {
    text: "`/compare` is not rqlite's: every node makes a digest of its state at one place of the log.",
    curl: `-X POST '${NODE}/compare'`,
  },
  {
    text: "`/snapshot` makes the database file complete, so that the log can be shortened; 204 says that nothing was new.",
    curl: `-o /dev/null -w '%{http_code}\\n' -X POST '${NODE}/snapshot'`,
  },
  { text: "`/reap` removes what snapshots left behind.", curl: `-X POST '${NODE}/reap'` },
  {
    heading: "Looking inside",
    text: "`/debug/vars` counts.",
    curl: `'${NODE}/debug/vars?key=http.queries'`,
  },
  {
    text: "`/debug/pprof/` records profiles: `profile` for the CPU, `heap` for what is allocated. Chrome's developer tools open both.",
    curl: `'${NODE}/debug/pprof/'`,
  },
  { text: "`/licenses` tells what the program is made of.", curl: `'${NODE}/licenses'` },
  {
    text: "`/openapi.json` describes all of this for programs. It is made from the table by which requests are sorted.",
    curl: `'${NODE}/openapi.json?pretty'`,
    pipe: "head -4",
  },
  {
    text: "`/console/` is a page for people; `/` leads there.",
    curl: `-o /dev/null -w '%{http_code} %{redirect_url}\\n' '${NODE}/'`,
  },
  { curl: `-o /dev/null -w '%{http_code} %{content_type}\\n' '${NODE}/console/'` },
  {
    heading: "Refusals",
    text: "What cannot be understood is 400, with the reason as text; an unknown path 404, a wrong method 405, both empty.",
    curl: `-i '${NODE}/db/query?q=SELECT+1&timeout=5'`,
  },
  { curl: `-o /dev/null -w '%{http_code}\\n' '${NODE}/nowhere'` },
  { curl: `-o /dev/null -w '%{http_code}\\n' -X PUT '${NODE}/db/query'` },
];
