/**
 * The appendix page about configuration, made from the table of flags.
 *
 * Invariant: the page and the program have one source; a test compares the page in the book with
 * what this file makes.
 */
import { FLAG_GROUPS, type FlagGroup } from "./flag-table.ts";
import type { FlagRow } from "./flags.ts";

const INTRODUCTION = `# Configuration

This page is made from the table in \`src/server/flag-table.ts\`; a test compares the two. It has the
68 flags of rqlite 10.3 and a few of our own.

## Where a setting comes from

Each setting has one name, and four places where it can stand:

1. the command line: \`-http-addr 0.0.0.0:4001\`, or with two dashes, or with \`=\`;
2. the environment: \`CAIRN_HTTP_ADDR=0.0.0.0:4001\`; a variable that is empty is not set;
3. a file of JSON, named by \`-config\` or \`CAIRN_CONFIG\`: \`{"http-addr": "0.0.0.0:4001"}\`;
4. the default.

The first place in this list that has it wins, for every setting alike. The data directory is the
argument behind the flags, or \`CAIRN_DATA_DIR\`, or \`data-dir\` in the file.

\`cairnd -print-config\` prints every setting with the place it came from, and why a node would not
start with them, if it would not. What may hold a password is printed as \`(hidden)\`.

A name that no flag has is refused on the command line and in the file, with the nearest name that
there is. In the environment it is only told, because other programs may have variables that begin
with \`CAIRN_\`: Kubernetes makes some for a service of that name.

## How values are written

- **boolean**: the flag alone means true. A value needs \`=\`: \`-fk=false\`. In the file \`true\` and
  \`false\`.
- **integer**, **unsigned**: \`8192\`, \`0x2000\`, \`0b1\`, \`0o17\`. Sizes are in bytes.
- **duration**: \`10ms\`, \`1.5s\`, \`1h2m\`, \`0\`. A number without a unit is refused.
- **list**: separated by commas; in the file also an array of texts.

## Users

\`-auth\` names a file of JSON:

\`\`\`json
[
  { "username": "bob", "password": "secret1", "perms": ["all"] },
  { "username": "amy", "password": "$scrypt$ln=15,r=8,p=3$…$…", "perms": ["query", "status"] },
  { "username": "*", "perms": ["ready"] }
]
\`\`\`

\`*\` is everybody, with or without a name. A password that begins with \`$scrypt$\` is a hash, which
\`cairnd hash-password\` makes from a line on its standard input. Each node reads its own file, once,
when it starts. A request that is forwarded is checked by both nodes. A node that joins others speaks
as the user of \`-join-as\`, whose password must stand in its own file as it is.

## Certificates

The files of \`-http-cert\`, \`-node-cert\` and their kin are looked at once a second. A certificate is
renewed by replacing certificate and key; connections that are open go on with the old one. Files
that do not fit together are told in the log, and the ones in use stay.

## Flags
`;

/** The page. */
export function configurationPage(): string {
  return `${INTRODUCTION}\n${FLAG_GROUPS.map(groupText).join("\n")}`;
}

function groupText({ title, rows }: FlagGroup): string {
  const table = [
    "| flag | kind | default | what it does |",
    "| --- | --- | --- | --- |",
    ...rows.map(rowText),
  ];
  return `### ${title}\n\n${table.join("\n")}\n`;
}

function rowText(row: FlagRow): string {
  const { name, kind, default: usual, meaning, noEffect, commandLineOnly } = row;
  const notes = [
    commandLineOnly ? "On the command line only" : "",
    noEffect === undefined ? "" : `**No effect**: ${noEffect}`,
  ].filter((note) => note !== "");
  const text = [meaning, ...notes].join(". ").replaceAll("|", "\\|");
  return `| \`-${name}\` | ${kind} | ${usual === "" ? "" : `\`${usual}\``} | ${text} |`;
}
