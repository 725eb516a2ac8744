/**
 * Ten thousand requests that nobody would send. Method: requests made from one seed, out of parts
 * that are each half right, over connections that are kept and connections that are broken off; the
 * node must answer or close each one, leak nothing to who may not see it, and go on.
 *
 * CAIRN_SEED runs another seed; the failing request is printed.
 */
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { ask } from "../../support/raw-http.ts";
import { as, type Door, openDoor, usersOf } from "./door.ts";

const REQUESTS = 10_000;
const AT_ONCE = 16;
const SECRET = "canary-4711";
const SEED = Number(process.env["CAIRN_SEED"] ?? "1");
/** Somebody who waits for an answer that is not coming gives up; then it is a hang. */
const PATIENCE_MS = 10_000;

/** Users by what they may do; only `reader` and `owner` may ever see the secret. */
const USERS = [
  { username: "owner", password: "pw-owner", perms: ["all"] },
  { username: "reader", password: "pw-reader", perms: ["query"] },
  { username: "watcher", password: "pw-watcher", perms: ["status", "ready"] },
  { username: "*", perms: ["ready"] },
];
const MAY_SEE = new Set(["owner", "reader"]);

interface Request {
  readonly text: string;
  readonly username: string;
  /** The client goes away in the middle. */
  readonly breaksOff: boolean;
}

class Maker {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  #one<T>(values: readonly T[]): T {
    const value = values[this.#random.below(values.length)];
    if (value === undefined) throw new Error("nothing to choose from");
    return value;
  }

  #chance(of: number): boolean {
    return this.#random.fraction() < of;
  }

  #junk(lengthMax: number): string {
    const bytes = this.#random.bytes(this.#random.below(lengthMax + 1));
    return Buffer.from(bytes).toString("latin1");
  }

  request(): Request {
    const username = this.#one(["owner", "reader", "watcher", "watcher", "nobody", ""]);
    const body = this.#body();
    const lines = [`${this.#method()} ${this.#target()} ${this.#version()}`];
    if (this.#chance(0.97)) lines.push("Host: x");
    lines.push(...this.#credentials(username), ...this.#headers(), ...this.#framing(body));
    let text = `${lines.join("\r\n")}\r\n\r\n${body}`;
    if (this.#chance(0.03)) text = this.#junk(200);
    if (this.#chance(0.05)) text = this.#bent(text);
    return { text, username, breaksOff: this.#chance(0.05) };
  }

  #method(): string {
    if (this.#chance(0.05)) return this.#one(["get", "PATCH", "TRACE", "M-SEARCH", "", "A B"]);
    return this.#one(["GET", "GET", "POST", "POST", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"]);
  }

  #target(): string {
    const path = this.#one([
      "/db/execute",
      "/db/query",
      "/db/request",
      "/db/backup",
      "/db/load",
      "/db/sql",
      "/boot",
      "/snapshot",
      "/reap",
      "/remove",
      "/status",
      "/nodes",
      "/leader",
      "/readyz",
      "/licenses",
      "/debug/vars",
      "/debug/pprof/cmdline",
      "/console/",
      "/openapi.json",
      "/",
      "/db/query/../execute",
      "//db/query",
      "/DB/QUERY",
      "/db%2fquery",
      "/%64b/query",
      "/console/../db/backup",
      "/readyz/../status",
      "http://other/db/query",
      "*",
      "/\0",
    ]);
    const suffix = this.#chance(0.05) ? `/${encodeURIComponent(this.#junk(8))}` : "";
    const count = this.#random.below(4);
    const query = Array.from({ length: count }, () => this.#parameter()).join("&");
    return path + suffix + (query === "" ? "" : `?${query}`);
  }

  #parameter(): string {
    const name = this.#one([
      ..."q level timeout db_timeout freshness freshness_strict pretty timings queue wait".split(
        " ",
      ),
      ..."transaction associative blob_array raft_index key fmt vacuum compress tables".split(" "),
      ..."noleader nonvoters ver sync retries trailing_logs redirect seconds xyz".split(" "),
    ]);
    const value = this.#one([
      "",
      "1",
      "-1",
      "10ms",
      "1h",
      "none",
      "strong",
      "sql",
      "delete",
      "2",
      "SELECT%20v%20FROM%20secrets",
      "SELECT+*+FROM+sqlite_schema",
      "store.raft",
      "__proto__",
      "%",
      "%zz",
      "%00",
      "%ff",
      ";",
      "9".repeat(40),
      encodeURIComponent(this.#junk(10)),
    ]);
    return this.#chance(0.8) ? `${name}=${value}` : name;
  }

  #version(): string {
    return this.#chance(0.98) ? "HTTP/1.1" : this.#one(["HTTP/1.0", "HTTP/9.9", "HTTP", ""]);
  }

  #credentials(username: string): readonly string[] {
    if (username === "" && this.#chance(0.5)) return [];
    const wrong = this.#chance(0.2);
    const { authorization = "" } = as(username, wrong ? "pw-wrong" : `pw-${username}`);
    if (this.#chance(0.1)) return [`Authorization: ${authorization.slice(0, -2)}`];
    if (this.#chance(0.05)) return [`Authorization: Bearer ${this.#junk(4)}`];
    return [`Authorization: ${authorization}`];
  }

  #headers(): readonly string[] {
    const all = [
      "Content-Type: text/plain",
      "Content-Type: application/json",
      "Content-Type: multipart/form-data; boundary=x",
      "Content-Encoding: gzip",
      "Expect: 100-continue",
      "Expect: nothing",
      "Connection: upgrade\r\nUpgrade: websocket",
      "Connection: close",
      "Transfer-Encoding: gzip, chunked",
      "Range: bytes=0-5",
      "X-Forwarded-For: 127.0.0.1",
      "X-HTTP-Method-Override: DELETE",
      `X-Junk: ${this.#junk(20).replace(/[\r\n\0]/g, "")}`,
    ];
    return all.filter(() => this.#chance(0.06));
  }

  #body(): string {
    if (this.#chance(0.3)) return "";
    const sql = this.#one([
      '"SELECT v FROM secrets"',
      '"SELECT 1"',
      '["SELECT v FROM secrets WHERE v = ?", "x"]',
      '["INSERT INTO junk VALUES (:a)", {"a": 9223372036854775808}]',
      '"DROP TABLE nothing"',
      '"UPDATE junk SET v = (SELECT v FROM secrets) RETURNING v"',
      '"CREATE TABLE IF NOT EXISTS junk (v)"',
      "null",
      "{}",
      "[]",
      "1e999",
      '[""]',
      `"${this.#junk(5).replace(/["\\]/g, "")}"`,
    ]);
    return this.#one([
      `[${sql}]`,
      `[${sql},${sql}]`,
      `[${sql}`,
      sql,
      "SELECT v FROM secrets;",
      '{"id":"2"}',
      `{"__proto__":{"id":"1"}}`,
      "[".repeat(1000),
      `SQLite format 3\0${this.#junk(90)}`,
      this.#junk(300),
    ]);
  }

  #framing(body: string): readonly string[] {
    if (body === "") return [];
    if (this.#chance(0.05)) return [];
    if (this.#chance(0.05)) return ["Transfer-Encoding: chunked"];
    if (this.#chance(0.03)) return [`Content-Length: ${body.length}`, "Content-Length: 3"];
    if (this.#chance(0.03)) return [`Content-Length: ${this.#one(["-1", "x", "1e3", "0x10"])}`];
    return [`Content-Length: ${Buffer.byteLength(body, "latin1")}`];
  }

  /** One byte changed, cut out or doubled. */
  #bent(text: string): string {
    const at = this.#random.below(text.length + 1);
    return this.#one([
      text.slice(0, at) + this.#junk(3) + text.slice(at + 1),
      text.slice(0, at) + text.slice(at + 1),
      text.slice(0, at) + text.slice(at) + text.slice(at),
    ]);
  }
}

/** Sends a request on a connection of its own; resolves with all that came back. */
function send({ address }: Door, { text, breaksOff }: Request): Promise<string> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port: Number(port) });
    let received = "";
    const patience = setTimeout(() => {
      socket.destroy();
      reject(new Error("the node neither answered nor closed the connection"));
    }, PATIENCE_MS);
    const finish = (): void => {
      clearTimeout(patience);
      resolve(received);
    };
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", finish);
    if (breaksOff) socket.write(Buffer.from(text, "latin1"), () => socket.destroy());
    // Half-closed: the node answers what it can and knows that no more is coming.
    else socket.end(Buffer.from(text, "latin1"));
  });
}

test(`${REQUESTS} requests of seed ${SEED}: no crash, no hang, no secret for those who may not see it`, {
  timeout: 240_000,
}, async () => {
  const door = await openDoor({ authorizer: usersOf(...USERS) });
  const owner = as("owner", "pw-owner");
  const tables = ["CREATE TABLE secrets (v)", `INSERT INTO secrets VALUES ('${SECRET}')`];
  const made = { headers: owner, body: JSON.stringify(tables) };
  expect((await ask(door.address, "/db/execute", made)).status).toBe(200);
  const maker = new Maker(SEED);
  let sent = 0;
  let answered = 0;
  const work = async (): Promise<void> => {
    while (sent < REQUESTS) {
      sent += 1;
      const number = sent;
      const request = maker.request();
      const shown = `seed ${SEED}, request ${number}: ${JSON.stringify(request)}`;
      const reply = await send(door, request).catch((error: Error) => {
        throw new Error(`${shown}: ${error.message}`);
      });
      if (reply !== "") {
        answered += 1;
        expect(reply, shown).toMatch(/^HTTP\/1\.1 [1-5]\d\d /);
        if (!MAY_SEE.has(request.username)) expect(reply, shown).not.toContain(SECRET);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(answered).toBeGreaterThan(REQUESTS / 2);
  const after = { headers: owner, body: '["SELECT 1 AS v"]' };
  const last = await ask(door.address, "/db/query", after);
  expect(last.text).toBe('{"results":[{"columns":["v"],"types":["integer"],"values":[[1]]}]}');
  expect((await ask(door.address, "/db/query", { body: '["SELECT 1"]' })).status).toBe(401);
  expect(door.node.copies, "copies for backups that nobody removed").toBe(0);
  const own = door.faults.map(String).filter((text) => text.includes("internal error"));
  expect(own).toEqual([]);
});
