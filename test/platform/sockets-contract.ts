/**
 * What `Sockets` promises, as a suite to run against each implementation.
 *
 * Method: a listener and clients in one process; every wait is for a condition, moved on by the
 * implementation's own clock.
 */

import { expect, test } from "vitest";
import { isCairnError } from "#base";
import { type Socket, type Sockets, seededRandom } from "#platform";
import { text } from "./disk-contract.ts";

/** An implementation and the means to let it work. */
export interface SocketsUnderTest {
  readonly sockets: Sockets;
  /** Lets everything happen until the condition holds. */
  until(condition: () => boolean): Promise<void>;
}

/** A stream end that notes what happened to it. */
export interface Notes {
  readonly socket: Socket;
  readonly events: string[];
  received: Uint8Array;
  readonly closed: { readonly error: Error | undefined }[];
}

/** Notes everything about a stream. */
export function notesOf(socket: Socket): Notes {
  const notes: Notes = { socket, events: [], received: new Uint8Array(0), closed: [] };
  socket.onConnect(() => notes.events.push("connect"));
  socket.onDrain(() => notes.events.push("drain"));
  socket.onData((chunk) => {
    const joined = new Uint8Array(notes.received.length + chunk.length);
    joined.set(notes.received);
    joined.set(chunk, notes.received.length);
    notes.received = joined;
    notes.events.push("data");
  });
  socket.onClose((error) => {
    notes.closed.push({ error });
    notes.events.push("close");
  });
  return notes;
}

/** A listener whose streams are noted, and one client. */
export async function pair(under: SocketsUnderTest): Promise<{
  readonly address: string;
  readonly close: () => Promise<void>;
  readonly client: Notes;
  readonly server: Notes;
}> {
  const accepted: Notes[] = [];
  const { sockets } = under;
  const listener = await sockets.listen("127.0.0.1:0", (s) => accepted.push(notesOf(s)));
  const client = notesOf(sockets.connect(listener.address));
  await under.until(() => accepted.length === 1 && client.events.includes("connect"));
  const server = accepted[0];
  if (server === undefined) throw new Error("nothing was accepted");
  return { address: listener.address, close: () => listener.close(), client, server };
}

function testStreams(make: () => SocketsUnderTest): void {
  test("bytes arrive in order, both ways, whatever the chunks", async () => {
    const under = make();
    const { client, server, close } = await pair(under);
    const random = seededRandom(1);
    const sent = random.bytes(500_000);
    for (let from = 0; from < sent.length; ) {
      const middle = from + random.below(5000);
      const before = middle + random.below(5000);
      client.socket.write([sent.slice(from, middle), sent.slice(middle, before)]);
      from = before;
    }
    server.socket.write([text("he"), new Uint8Array(0), text("llo")]);
    await under.until(() => server.received.length >= sent.length && client.received.length >= 5);
    expect(Buffer.compare(server.received, sent)).toBe(0);
    expect(client.received).toEqual(text("hello"));
    expect(client.socket.remote).toMatch(/^127\.0\.0\.1:\d+$/);
    await close();
  });

  test("what is written before the connection stands is sent then", async () => {
    const under = make();
    const accepted: Notes[] = [];
    const listener = await under.sockets.listen("127.0.0.1:0", (s) => accepted.push(notesOf(s)));
    const client = notesOf(under.sockets.connect(listener.address));
    client.socket.write([text("early")]);
    expect(client.socket.bufferedBytes).toBe(5);
    await under.until(() => accepted[0]?.received.length === 5);
    await under.until(() => client.events.includes("drain"));
    expect(client.socket.bufferedBytes).toBe(0);
    expect(client.events).toEqual(["connect", "drain"]);
    await listener.close();
  });

  test("a reader that pauses lets the writer's buffer grow, and resumes where it was", async () => {
    const under = make();
    const { client, server, close } = await pair(under);
    server.socket.pause();
    // More than any kernel buffers for one connection by itself.
    const sent = new Uint8Array(24 * 1024 * 1024).fill(7);
    client.socket.write([sent]);
    expect(client.socket.bufferedBytes).toBeGreaterThan(0);
    client.socket.write([text("end")]);
    expect(client.events).not.toContain("drain");
    let total = 0;
    server.socket.onData((chunk) => {
      total += chunk.length;
    });
    server.socket.resume();
    await under.until(() => client.events.includes("drain") && total === sent.length + 3);
    expect(client.socket.bufferedBytes).toBe(0);
    await close();
  });
}

function testEnds(make: () => SocketsUnderTest): void {
  test("closing one end closes the other, each told once, without an error", async () => {
    const under = make();
    const { client, server, close } = await pair(under);
    client.socket.close();
    client.socket.close();
    client.socket.write([text("too late")]);
    await under.until(() => client.closed.length > 0 && server.closed.length > 0);
    expect(client.closed).toEqual([{ error: undefined }]);
    expect(server.closed).toEqual([{ error: undefined }]);
    expect(server.received).toHaveLength(0);
    await close();
  });

  test("closing the listener closes what it accepted and frees the address", async () => {
    const under = make();
    const { client, server, address, close } = await pair(under);
    await close();
    await under.until(() => client.closed.length > 0 && server.closed.length > 0);
    const refused = notesOf(under.sockets.connect(address));
    await under.until(() => refused.closed.length > 0);
    const error = refused.closed[0]?.error;
    expect(isCairnError(error, "NET_UNREACHABLE")).toBe(true);
    expect(error?.message).toContain(address);
    expect(refused.events).toEqual(["close"]);
    const again = await under.sockets.listen(address, () => undefined);
    expect(again.address).toBe(address);
    await again.close();
    await again.close();
  });

  test("an address in use is refused, and named", async () => {
    const under = make();
    const listener = await under.sockets.listen("127.0.0.1:0", () => undefined);
    const second = under.sockets.listen(listener.address, () => undefined);
    await expect(second).rejects.toMatchObject({
      code: "NET_ADDRESS_IN_USE",
      message: expect.stringContaining(listener.address),
    });
    await listener.close();
  });

  test.each([
    "",
    "nohost",
    ":80",
    "host:",
    "host:65536",
    "host:-1",
    "::1:80",
    "[::1]",
    "[::1]:",
    "http://host:80",
    "a b:1x",
  ])("%j is no address, to listen or to connect", async (address) => {
    const under = make();
    const invalid = { code: "NET_ADDRESS_INVALID", message: expect.stringContaining(address) };
    await expect(under.sockets.listen(address, () => undefined)).rejects.toMatchObject(invalid);
    const socket = notesOf(under.sockets.connect(address));
    await under.until(() => socket.closed.length > 0);
    expect(socket.closed).toEqual([{ error: expect.objectContaining(invalid) }]);
  });
}

/** Adds the suite to the test file that calls this. */
export function testSocketsContract(make: () => SocketsUnderTest): void {
  testStreams(make);
  testEnds(make);
}
