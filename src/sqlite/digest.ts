/**
 * A fingerprint of everything that clients can see in a database.
 *
 * SHA-256 over the schema and over every table's rows in the order of their keys. What does not
 * count: our own row, the layout of pages, and the inner tables of full-text and spatial indexes,
 * whose shape depends on where transactions end; the virtual tables above them are read instead.
 *
 * Encoding: schema rows sorted by type and name, each as four texts; then each table as its name
 * and the SHA-256 of its rows. A value is one byte of type (0 null, 1 integer, 2 real, 3 text, 4
 * blob) and then i64 LE, f64 LE, or a length (u32 LE) and bytes.
 * Invariant: equal rows in equal order, whatever wrote them, give equal digests.
 * Chapter: 09-sqlite.
 */
import { createHash, type Hash } from "node:crypto";
import Database from "better-sqlite3";
import { assert, type Bytes } from "#base";

/** Digest of the database as this connection sees it. */
export function digestConnection(database: Database.Database): Bytes {
  const steps = digestSteps(database);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/**
 * The same in steps of about {@link STEP_BYTES} each. Between two steps the connection is busy with
 * a read transaction and a statement, and takes no others.
 */
export function digestSteps(database: Database.Database): Generator<undefined, Bytes> {
  return new Digest(database).steps();
}

/**
 * Digest of a database file, opened read-only: for comparing replicas and backups. SHA-256, hex.
 */
export function digestDatabase(path: string): string {
  const database = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return Buffer.from(digestConnection(database)).toString("hex");
  } finally {
    database.close();
  }
}

interface TableFacts {
  readonly name: string;
  readonly isVirtual: boolean;
  readonly hasRowid: boolean;
}

const VALUE_HEADER_BYTES = 9;
const FLUSH_BYTES = 64 * 1024;
/** Less than a batch takes, for rows of a usual size. */
const STEP_BYTES = 64 * 1024;
/** What an undecodable byte becomes in a JavaScript string. */
const REPLACEMENT = "\ufffd";

class Digest {
  readonly #database: Database.Database;
  readonly #total: Hash = createHash("sha256");

  constructor(database: Database.Database) {
    this.#database = database;
  }

  *steps(): Generator<undefined, Bytes> {
    // One read transaction, unless the caller has one: all tables at one moment.
    const owns = !this.#database.inTransaction;
    if (owns) this.#database.exec("BEGIN");
    try {
      this.#addSchema();
      for (const table of this.#tables()) {
        this.#total.update(`${table.name}\0`);
        this.#total.update(yield* this.#tableDigest(table));
      }
    } finally {
      if (owns) this.#database.exec("COMMIT");
    }
    return new Uint8Array(this.#total.digest());
  }

  #addSchema(): void {
    const rows = this.#database
      .prepare(
        `SELECT type, name, tbl_name, sql FROM sqlite_schema
          WHERE tbl_name NOT LIKE '\\_cairn%' ESCAPE '\\' ORDER BY type, name`,
      )
      .raw();
    const sink = new ValueSink(this.#total);
    for (const row of rows.iterate()) {
      assert(Array.isArray(row), "sqlite: raw rows are arrays");
      for (const value of row) sink.add(value);
    }
    sink.flush();
  }

  #tables(): TableFacts[] {
    const rows = this.#database
      .prepare(
        `SELECT name, type, wr FROM pragma_table_list
          WHERE schema = 'main' AND type IN ('table', 'virtual')
            AND name NOT LIKE '\\_cairn%' ESCAPE '\\'
            AND name NOT IN ('sqlite_schema', 'sqlite_temp_schema')
          ORDER BY name`,
      )
      .raw()
      .safeIntegers()
      .all();
    return rows.map((row) => {
      assert(Array.isArray(row), "sqlite: raw rows are arrays");
      return { name: String(row[0]), isVirtual: row[1] === "virtual", hasRowid: row[2] === 0n };
    });
  }

  *#tableDigest(table: TableFacts): Generator<undefined, Buffer> {
    const quick = yield* this.#hashRows(table, false);
    if (!quick.isDoubtful) return quick.digest;
    // Some text is not UTF-8, or holds U+FFFD itself: only its bytes tell them apart.
    return (yield* this.#hashRows(table, true)).digest;
  }

  *#hashRows(
    table: TableFacts,
    asBytes: boolean,
  ): Generator<undefined, { digest: Buffer; isDoubtful: boolean }> {
    const hash = createHash("sha256");
    const sink = new ValueSink(hash);
    const statement = this.#database.prepare(this.#query(table, asBytes)).raw().safeIntegers();
    for (const row of statement.iterate()) {
      assert(Array.isArray(row), "sqlite: raw rows are arrays");
      if (asBytes) for (let at = 0; at < row.length; at += 2) sink.add(row[at], row[at + 1] === 1n);
      else for (const value of row) sink.add(value);
      if (sink.takeStep()) yield;
    }
    sink.flush();
    return { digest: hash.digest(), isDoubtful: sink.isDoubtful };
  }

  #query(table: TableFacts, asBytes: boolean): string {
    const columns = this.#database
      .prepare("SELECT name, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid")
      .raw()
      .safeIntegers()
      .all(table.name)
      .map((row) => {
        assert(Array.isArray(row), "sqlite: raw rows are arrays");
        return { name: quoted(String(row[0])), key: Number(row[1]) };
      });
    const rowid = table.hasRowid
      ? rowidName(columns.map(({ name }) => name.toLowerCase()))
      : undefined;
    const keys = columns.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key);
    const order = rowid ?? keys.map(({ name }) => name).join(", ");
    const names = columns.map(({ name }) => name);
    // Rowids are visible to clients, and a replica must agree on them too.
    const isStatistics = /^sqlite_stat\d$/i.test(table.name);
    if (rowid !== undefined && !isStatistics) names.unshift(rowid);
    const values = asBytes ? names.flatMap(exactly) : names;
    const from = `SELECT ${values.join(", ")} FROM main.${quoted(table.name)}`;
    // Statistics count the inner tables of indexes too, and their rowids follow from that.
    if (isStatistics) return `${from} ${STATISTICS_THAT_COUNT}`;
    return order === "" ? from : `${from} ORDER BY ${order}`;
  }
}

const STATISTICS_THAT_COUNT = `WHERE tbl NOT LIKE '\\_cairn%' ESCAPE '\\' AND tbl NOT IN
  (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY tbl, idx, rowid`;

/** A value with its text as bytes, and whether it is text. */
function exactly(name: string): string[] {
  const isText = `typeof(${name}) = 'text'`;
  return [`CASE WHEN ${isText} THEN CAST(${name} AS BLOB) ELSE ${name} END`, isText];
}

/** The name under which the rowid can be read, if no column hides it. */
function rowidName(columns: readonly string[]): string | undefined {
  return ["rowid", "_rowid_", "oid"].find((name) => !columns.includes(`"${name}"`));
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

const TYPE = { null: 0, integer: 1, real: 2, text: 3, blob: 4 } as const;

/** Feeds typed values into a hash, in large pieces. */
class ValueSink {
  readonly #hash: Hash;
  readonly #buffer = Buffer.allocUnsafe(FLUSH_BYTES);
  #at = 0;
  /** Bytes since the last step ended. */
  #stepBytes = 0;
  /** A text held U+FFFD, which may stand for bytes that are not UTF-8. */
  isDoubtful = false;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  add(value: unknown, isText = false): void {
    if (this.#at + VALUE_HEADER_BYTES > FLUSH_BYTES) this.flush();
    const buffer = this.#buffer;
    if (value === null) {
      buffer[this.#at] = TYPE.null;
      this.#at += 1;
    } else if (typeof value === "bigint") {
      buffer[this.#at] = TYPE.integer;
      this.#at = buffer.writeBigInt64LE(value, this.#at + 1);
    } else if (typeof value === "number") {
      buffer[this.#at] = TYPE.real;
      this.#at = buffer.writeDoubleLE(value, this.#at + 1);
    } else if (typeof value === "string") {
      if (value.includes(REPLACEMENT)) this.isDoubtful = true;
      this.#bytes(TYPE.text, Buffer.from(value, "utf8"));
    } else {
      assert(value instanceof Uint8Array, "sqlite: a value has one of five types");
      this.#bytes(isText ? TYPE.text : TYPE.blob, value);
    }
  }

  flush(): void {
    if (this.#at > 0) this.#hash.update(this.#buffer.subarray(0, this.#at));
    this.#stepBytes += this.#at;
    this.#at = 0;
  }

  /** Whether so much was hashed that a step should end here. */
  takeStep(): boolean {
    if (this.#stepBytes < STEP_BYTES) return false;
    this.#stepBytes = 0;
    return true;
  }

  #bytes(type: number, bytes: Uint8Array): void {
    this.#buffer[this.#at] = type;
    this.#at = this.#buffer.writeUInt32LE(bytes.length, this.#at + 1);
    if (this.#at + bytes.length > FLUSH_BYTES) {
      this.flush();
      this.#hash.update(bytes);
      this.#stepBytes += bytes.length;
      return;
    }
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}
