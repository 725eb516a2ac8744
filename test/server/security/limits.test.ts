/**
 * What one client may cost. Method: bare connections that send too much, too slowly, or nothing;
 * each must be answered or closed by the node, and nobody else may notice.
 */
import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import type { NodeConfig } from "#server/types";
import { atTestEnd } from "../../support/processes.ts";
import { ask } from "../../support/raw-http.ts";
import { type Door, openDoor } from "./door.ts";

const LIMITS: NodeConfig["limits"] = {
  headerBytesMax: 8192,
  headerTimeoutMs: 300,
  bodyTimeoutMs: 300,
  connectionsMax: 0,
};

const openLimited = (limits: Partial<NodeConfig["limits"]> = {}): Promise<Door> =>
  openDoor({ config: { limits: { ...LIMITS, ...limits } } });

interface Raw {
  readonly socket: Socket;
  /** Everything that came, once the node has closed the connection. */
  readonly closed: Promise<string>;
}

/** A bare connection that sends `text` at once. */
function open({ address }: Door, text: string): Raw {
  const [host = "", port] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  const closed = new Promise<string>((resolve) => {
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(received));
  });
  socket.write(text);
  atTestEnd(() => {
    socket.destroy();
  });
  return { socket, closed };
}

/** Sends `piece` again and again until the connection is closed. */
function drip({ socket }: Raw, piece: string, everyMs: number): void {
  const timer = setInterval(() => socket.write(piece), everyMs);
  socket.on("close", () => clearInterval(timer));
}

const head = (...lines: readonly string[]): string =>
  `${["POST /db/query HTTP/1.1", "Host: x", ...lines].join("\r\n")}\r\n\r\n`;

async function stillAnswers(door: Door): Promise<void> {
  expect((await ask(door.address, "/db/query?q=SELECT%201")).status).toBe(200);
  expect(door.faults).toEqual([]);
}

test("a body of which nothing comes is answered with 408", async () => {
  const door = await openLimited();
  const { closed } = open(door, head("Content-Length: 100"));
  expect(await closed).toMatch(/^HTTP\/1\.1 408 [\s\S]*too slow/);
  await stillAnswers(door);
});

test.each([
  ["with its length", "Content-Length: 1000000", " "],
  ["in chunks", "Transfer-Encoding: chunked", "1\r\n \r\n"],
])("a body that drips %s is answered with 408", async (_, header, piece) => {
  const door = await openLimited();
  const raw = open(door, head(header));
  drip(raw, piece, 50);
  expect(await raw.closed).toMatch(/^HTTP\/1\.1 408 /);
  await stillAnswers(door);
});

test("a body that comes slowly but surely is read to its end", async () => {
  const door = await openLimited();
  const body = `["SELECT 1"${" ".repeat(4000)}]`;
  const raw = open(door, head("Connection: close", `Content-Length: ${body.length}`));
  // 400 bytes each 50 ms are more than the 500 a second that are asked for.
  let sent = 0;
  const timer = setInterval(() => {
    raw.socket.write(body.slice(sent, sent + 400));
    sent += 400;
    if (sent >= body.length) clearInterval(timer);
  }, 50);
  expect(await raw.closed).toMatch(/^HTTP\/1\.1 200 /);
});

test("a body that drips to somebody who may not send it is cut off too", async () => {
  const door = await openLimited();
  const raw = open(door, head("Content-Length: 1000000").replace("/db/query", "/nowhere"));
  drip(raw, " ", 50);
  expect(await raw.closed).toMatch(/^HTTP\/1\.1 404 /);
  await stillAnswers(door);
});

test.each([
  ["nothing", "", ""],
  ["half a line", "GET /rea", ""],
  ["one letter after the other", "GET /readyz HTTP/1.1\r\nX: ", "y"],
  ["one header after the other", "GET /readyz HTTP/1.1\r\n", "X: y\r\n"],
])("a head of which comes %s is given up", async (_, text, piece) => {
  const door = await openLimited();
  const raw = open(door, text);
  if (piece !== "") drip(raw, piece, 50);
  expect(await raw.closed).toMatch(/^(HTTP\/1\.1 408 |$)/);
  await stillAnswers(door);
});

test.each([
  ["one header", `X: ${"y".repeat(20_000)}`],
  ["many headers", Array.from({ length: 1000 }, (_, n) => `X-${n}: yyyyyyyyyy`).join("\r\n")],
])("a head with too much in %s is answered with 431", async (_, header) => {
  const door = await openLimited();
  const { closed } = open(door, head(header));
  expect(await closed).toMatch(/^HTTP\/1\.1 431 /);
  await stillAnswers(door);
});

test("a first line that is too long is answered with 431", async () => {
  const door = await openLimited();
  const { closed } = open(door, `GET /db/query?q=${"x".repeat(20_000)} HTTP/1.1\r\n\r\n`);
  expect(await closed).toMatch(/^HTTP\/1\.1 431 /);
});

test("by default a query of a megabyte fits into a first line", async () => {
  const door = await openDoor();
  const sql = `SELECT '${"x".repeat(900_000)}' AS v`;
  const reply = await ask(door.address, `/db/query?q=${encodeURIComponent(sql)}`);
  expect(reply.status).toBe(200);
});

test("a body that says it is huge is refused before it comes", async () => {
  const door = await openLimited();
  const { closed } = open(door, head("Connection: close", "Content-Length: 99999999999"));
  expect(await closed).toMatch(/^HTTP\/1\.1 413 /);
  await stillAnswers(door);
});

test("one connection too many is closed, and the others go on", async () => {
  const door = await openLimited({ connectionsMax: 2, headerTimeoutMs: 60_000 });
  const held = [open(door, "GET /readyz HTTP/1.1\r\n"), open(door, "GET /readyz HTTP/1.1\r\n")];
  // Both are accepted once they have been answered.
  for (const { socket } of held) {
    const answered = new Promise((resolve) => socket.once("data", resolve));
    socket.write("Host: x\r\n\r\n");
    await answered;
  }
  expect(await open(door, head("Content-Length: 0")).closed).toBe("");
  for (const { socket } of held) {
    const answered = new Promise<string>((resolve) => {
      socket.once("data", (chunk) => resolve(chunk.toString("latin1")));
    });
    socket.write("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
  }
});
