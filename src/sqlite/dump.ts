/**
 * The database as SQL text, in the form of sqlite3's `.dump`.
 *
 * Tables with their rows first, then views, triggers and indexes, all in one transaction. Values
 * are written so that SQLite reads back the same: reals in their shortest exact form, text with a
 * NUL in it as bytes. Rowids are written where a plain INSERT would give others. Left out are the
 * samples of ANALYZE, and bytes in text that are not UTF-8 become U+FFFD.
 * Invariant: the text, run on an empty database, otherwise gives a database with the same digest.
 * Chapter: 09-sqlite. Source: compat reference 1.7.
 */
import type Database from "better-sqlite3";
import { assert } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import { LOAD_TABLE, STATE_TABLE } from "./state-table.ts";

/** What to dump, and where to. */
export interface DumpRequest {
  readonly disk: Disk;
  readonly path: string;
  /** Only these tables, with their indexes and triggers; empty for everything. */
  readonly tables: readonly string[];
}

/**
 * Writes a dump into a new file. Does not sync it.
 *
 * @param source - a connection inside a read transaction, with 64-bit integers switched on.
 * @throws `DISK_EXISTS`, `DISK_FULL` and the other codes of the disk.
 */
export function writeDump(source: Database.Database, request: DumpRequest): void {
  const output = new TextFile(request.disk.open(request.path, "create-new"));
  try {
    new Dump(source, output, request.tables).write();
    output.flush();
  } finally {
    output.close();
  }
}

/** Characters gathered before they are written: large enough that the calls do not count. */
const FLUSH_CHARACTERS = 256 * 1024;
const utf8 = new TextEncoder();

/** A file that only grows, written in large pieces. */
class TextFile {
  readonly #handle: FileHandle;
  #text = "";
  #offset = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= FLUSH_CHARACTERS) this.flush();
  }

  flush(): void {
    const bytes = utf8.encode(this.#text);
    this.#handle.write(this.#offset, bytes);
    this.#offset += bytes.length;
    this.#text = "";
  }

  close(): void {
    this.#handle.close();
  }
}

interface SchemaRow {
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** What SQLite says of a table. */
interface TableFacts {
  readonly type: "table" | "virtual" | "shadow" | "view";
  readonly hasRowid: boolean;
}

/** Virtual tables whose rows can be read and inserted again. */
const FULL_TEXT_MODULES: ReadonlySet<string> = new Set(["fts3", "fts4", "fts5"]);
const SPATIAL_MODULES: ReadonlySet<string> = new Set(["rtree", "rtree_i32", "geopoly"]);
const MODULE = /\busing\s+["'`[]?(\w+)/i;
/** A full-text index that does not keep the text: its rows cannot be read back. */
const CONTENTLESS = /\bcontent\s*=\s*(''|"")/i;

class Dump {
  readonly #source: Database.Database;
  readonly #output: TextFile;
  /** Lower case; empty for everything. */
  readonly #wanted: ReadonlySet<string>;
  readonly #facts: ReadonlyMap<string, TableFacts>;
  /** Virtual tables that go with their inner tables instead of row by row. */
  readonly #verbatim = new Set<string>();

  constructor(source: Database.Database, output: TextFile, tables: readonly string[]) {
    this.#source = source;
    this.#output = output;
    this.#wanted = new Set(tables.map((name) => name.toLowerCase()));
    this.#facts = tableFacts(source);
  }

  write(): void {
    this.#output.add("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
    for (const table of this.#schemaRows("type = 'table'", "rowid")) this.#addTable(table);
    this.#addSequence();
    this.#addStatistics();
    const others = "type IN ('index', 'trigger', 'view')";
    // Views before triggers, which may stand on them; indexes last, as they are filled at once
    // then.
    for (const { sql } of this.#schemaRows(others, "type COLLATE NOCASE DESC, rowid")) {
      this.#output.add(terminated(sql));
    }
    if (this.#verbatim.size > 0) this.#output.add("PRAGMA writable_schema=OFF;\n");
    this.#output.add("COMMIT;\n");
  }

  #schemaRows(condition: string, order: string): SchemaRow[] {
    const rows = this.#source
      .prepare(
        `SELECT name, tbl_name, sql FROM main.sqlite_schema
          WHERE ${condition} AND sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND tbl_name NOT IN ('${STATE_TABLE}', '${LOAD_TABLE}') ORDER BY ${order}`,
      )
      .raw()
      .all();
    return rows
      .map((row) => {
        assert(Array.isArray(row), "sqlite: raw rows are arrays");
        return { name: String(row[0]), table: String(row[1]), sql: String(row[2]) };
      })
      .filter(({ table }) => this.#isWanted(table));
  }

  /** The inner tables of a virtual table come with it: `docs` brings `docs_data`. */
  #isWanted(table: string): boolean {
    if (this.#wanted.size === 0) return true;
    return this.#wanted.has((this.#ownerOf(table) ?? table).toLowerCase());
  }

  /** The virtual table that an inner table belongs to. */
  #ownerOf(table: string): string | undefined {
    if (this.#facts.get(table)?.type !== "shadow") return undefined;
    return table.slice(0, table.lastIndexOf("_"));
  }

  #addTable({ name, sql }: SchemaRow): void {
    const owner = this.#ownerOf(name);
    if (this.#facts.get(name)?.type === "virtual") this.#addVirtual(name, sql);
    else if (owner === undefined || this.#verbatim.has(owner)) {
      this.#output.add(terminated(sql));
      this.#addRows(name);
    }
  }

  /**
   * A virtual table is made by its module and filled row by row, which any SQLite with the module
   * can do. Where rows cannot be read, the schema is written as a table, as sqlite3 does it, and
   * the inner tables follow; only a SQLite that trusts the text takes that.
   */
  #addVirtual(name: string, sql: string): void {
    const module = (MODULE.exec(sql)?.[1] ?? "").toLowerCase();
    const isFullText = FULL_TEXT_MODULES.has(module);
    if (isFullText && CONTENTLESS.test(sql)) {
      if (this.#verbatim.size === 0) this.#output.add("PRAGMA writable_schema=ON;\n");
      this.#verbatim.add(name);
      const [nameText, sqlText] = [textLiteral(name), textLiteral(sql)];
      this.#output.add(
        "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)" +
          `VALUES('table',${nameText},${nameText},0,${sqlText});\n`,
      );
      return;
    }
    this.#output.add(terminated(sql));
    // Any other module keeps nothing of its own that rows could restore.
    if (isFullText || SPATIAL_MODULES.has(module)) this.#addRows(name);
  }

  #addRows(table: string): void {
    const names = this.#columns(table);
    const rowid = this.#rowidName(table, names);
    const isKept = rowid !== undefined && this.#isRowidKept(table, rowid);
    const columns = (isKept ? [rowid] : []).concat(names.map(quoted)).join(",");
    const head = `INSERT INTO ${tableText(table)}${isKept ? `(${columns})` : ""} VALUES(`;
    // By rowid, as SQLite might choose the order of an index; INSERT counts rowids in this order.
    const order = rowid === undefined ? "" : ` ORDER BY ${rowid}`;
    const query = `SELECT ${columns} FROM main.${quoted(table)}${order}`;
    for (const row of this.#source.prepare(query).raw().iterate()) {
      assert(Array.isArray(row), "sqlite: raw rows are arrays");
      let line = head;
      for (let at = 0; at < row.length; at += 1) line += (at > 0 ? "," : "") + literal(row[at]);
      this.#output.add(`${line});\n`);
    }
  }

  /** Columns that an INSERT may name: neither hidden nor generated. */
  #columns(table: string): string[] {
    return this.#source
      .prepare("SELECT name FROM pragma_table_info(?) ORDER BY cid")
      .pluck()
      .all(table)
      .map(String);
  }

  /** The name under which the rowid can be read, if there is one and no column hides it. */
  #rowidName(table: string, columns: readonly string[]): string | undefined {
    if (this.#facts.get(table)?.hasRowid !== true) return undefined;
    const taken = new Set(columns.map((name) => name.toLowerCase()));
    return ["rowid", "_rowid_", "oid"].find((name) => !taken.has(name));
  }

  /**
   * Whether rowids must be written: no column holds them, and an INSERT would not count them so.
   */
  #isRowidKept(table: string, rowid: string): boolean {
    const differs = this.#source
      .prepare(
        `SELECT (SELECT count(*) <> 1 OR max(upper(type)) <> 'INTEGER' OR EXISTS
            (SELECT 1 FROM pragma_index_list(:table) WHERE origin = 'pk')
            FROM pragma_table_info(:table) WHERE pk > 0)
          AND (SELECT count(*) <> coalesce(max(${rowid}), 0) OR min(${rowid}) <> 1
            FROM main.${quoted(table)})`,
      )
      .pluck()
      .get({ table });
    return differs === 1n;
  }

  /** What AUTOINCREMENT has given out. The table itself is made with the first such table. */
  #addSequence(): void {
    if (!this.#facts.has("sqlite_sequence")) return;
    const rows = this.#source.prepare("SELECT name, seq FROM main.sqlite_sequence").raw().all();
    const lines: string[] = [];
    for (const row of rows) {
      assert(Array.isArray(row), "sqlite: raw rows are arrays");
      if (!this.#isWanted(String(row[0]))) continue;
      lines.push(`INSERT INTO sqlite_sequence VALUES(${literal(row[0])},${literal(row[1])});\n`);
    }
    if (lines.length === 0) return;
    this.#output.add("DELETE FROM sqlite_sequence;\n");
    for (const line of lines) this.#output.add(line);
  }

  /** What ANALYZE has found, except samples: other builds of SQLite have no table for them. */
  #addStatistics(): void {
    if (this.#wanted.size > 0 || !this.#facts.has("sqlite_stat1")) return;
    this.#output.add("ANALYZE sqlite_schema;\n");
    this.#addRows("sqlite_stat1");
  }
}

/** The statement with its semicolon, which a comment at its end must not swallow. */
function terminated(sql: string): string {
  return sql.includes("--") ? `${sql}\n;\n` : `${sql};\n`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A table's name; quoted, except SQLite's own, which some readers of dumps look for as it is. */
function tableText(name: string): string {
  return name.startsWith("sqlite_") ? name : quoted(name);
}

function tableFacts(source: Database.Database): Map<string, TableFacts> {
  const rows = source
    .prepare("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'")
    .raw()
    .all();
  return new Map(
    rows.map((row): [string, TableFacts] => {
      assert(Array.isArray(row), "sqlite: raw rows are arrays");
      return [String(row[0]), { type: row[1], hasRowid: row[2] === 0n && row[1] !== "view" }];
    }),
  );
}

function literal(value: unknown): string {
  if (value === null) return "NULL";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return realLiteral(value);
  if (typeof value === "string") return textLiteral(value);
  assert(value instanceof Uint8Array, "sqlite: a value has one of five types");
  return `X'${hex(value)}'`;
}

/** JavaScript's shortest form reads back exactly; a point or an exponent keeps it a real. */
function realLiteral(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "1e999";
  if (value === Number.NEGATIVE_INFINITY) return "-1e999";
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** SQL text ends at a NUL, so text that holds one is written as bytes. */
function textLiteral(text: string): string {
  if (text.includes("\0")) return `CAST(X'${hex(utf8.encode(text))}' AS TEXT)`;
  return `'${text.replaceAll("'", "''")}'`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
