/**
 * The promises of `Sockets`, kept by real and by simulated streams; then what only one of them has.
 * Method: one suite against both; the simulated network's means to break streams, one by one.
 */

import { describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import {
  createNodeClock,
  createNodeSockets,
  createSimulatedClock,
  createSimulatedSockets,
  type SimulatedClock,
  type SimulatedSockets,
} from "#platform";
import { text } from "./disk-contract.ts";
import { notesOf, pair, type SocketsUnderTest, testSocketsContract } from "./sockets-contract.ts";

/** A simulated test waits at most this long, in its own time. */
const WAIT_MS_MAX = 60_000;

describe("node streams", () => {
  const clock = createNodeClock();
  testSocketsContract(() => ({
    sockets: createNodeSockets(),
    until: async (condition) => {
      while (!condition()) await new Promise<void>((resolve) => void clock.whenIdle(resolve));
    },
  }));

  test("IPv6 addresses stand in brackets", async (context) => {
    const sockets = createNodeSockets();
    try {
      const listener = await sockets.listen("[::1]:0", () => undefined);
      expect(listener.address).toMatch(/^\[::1\]:\d+$/);
      await listener.close();
    } catch (error) {
      if (!isCairnError(error, "NET_ADDRESS_INVALID")) throw error;
      expect(error.message).toContain("[::1]:0");
      context.skip("this machine has no IPv6");
    }
  });

  test("an address of another machine cannot be listened at", async () => {
    // 192.0.2.0/24 is kept for documentation (RFC 5737): it belongs to no machine.
    const listening = createNodeSockets().listen("192.0.2.1:0", () => undefined);
    await expect(listening).rejects.toMatchObject({ code: "NET_ADDRESS_INVALID" });
  });
});

interface Simulated extends SocketsUnderTest {
  readonly sockets: SimulatedSockets;
  readonly clock: SimulatedClock;
}

function simulated(options: { seed?: number; chunkBytesMax?: number } = {}): Simulated {
  const clock = createSimulatedClock();
  const sockets = createSimulatedSockets({ clock, ...options });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      if (clock.now() > WAIT_MS_MAX || !clock.advanceToNext()) throw new Error("waited in vain");
      await Promise.resolve();
    }
  };
  return { clock, sockets, until };
}

describe("simulated streams", () => {
  testSocketsContract(() => simulated());

  test("arrive in chunks that neither keep nor respect what was written", async () => {
    const under = simulated({ seed: 3 });
    const { client, server } = await pair(under);
    const sizes: number[] = [];
    server.socket.onData((chunk) => sizes.push(chunk.length));
    for (let write = 0; write < 100; write += 1) {
      client.socket.write([text("0123456789")]);
      if (write % 5 === 4) under.clock.advance(3);
    }
    under.clock.advance(1000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1000);
    expect(Math.min(...sizes)).toBeLessThan(10);
    expect(Math.max(...sizes)).toBeGreaterThan(10);
  });

  test("never arrive in chunks above the limit", async () => {
    const under = simulated({ chunkBytesMax: 3 });
    const { client, server } = await pair(under);
    let largest = 0;
    server.socket.onData((chunk) => {
      largest = Math.max(largest, chunk.length);
    });
    client.socket.write([new Uint8Array(100)]);
    under.clock.advance(1000);
    expect(largest).toBe(3);
    expect(() => simulated({ chunkBytesMax: 0 })).toThrow(RangeError);
  });

  test("repeat themselves for one seed", async () => {
    const run = async (seed: number): Promise<string> => {
      const under = simulated({ seed });
      const { client, server } = await pair(under);
      const chunks: string[] = [];
      server.socket.onData((chunk) => chunks.push(`${chunk.length}@${under.clock.now()}`));
      client.socket.write([new Uint8Array(10_000)]);
      under.clock.advance(1000);
      return chunks.join();
    };
    expect(await run(1)).toBe(await run(1));
    expect(await run(1)).not.toBe(await run(2));
  });

  test("break with an error at both ends when reset", async () => {
    const under = simulated();
    const { client, server } = await pair(under);
    client.socket.write([text("lost")]);
    under.sockets.resetAll();
    under.clock.advance(100);
    for (const end of [client, server]) {
      expect(end.closed).toHaveLength(1);
      expect(isCairnError(end.closed[0]?.error, "NET_UNREACHABLE")).toBe(true);
    }
    expect(server.received).toHaveLength(0);
  });

  test("stand still while the network is down, and go on after it", async () => {
    const under = simulated();
    const { client, server, address } = await pair(under);
    under.sockets.setUp(false);
    client.socket.write([text("late")]);
    const refused = notesOf(under.sockets.connect(address));
    under.clock.advance(100);
    expect(server.received).toHaveLength(0);
    expect(client.closed).toHaveLength(0);
    expect(isCairnError(refused.closed[0]?.error, "NET_UNREACHABLE")).toBe(true);
    under.sockets.setUp(true);
    under.clock.advance(100);
    expect(server.received).toEqual(text("late"));
  });

  test("do not learn of the other end's close before the network is up", async () => {
    const under = simulated();
    const { client, server } = await pair(under);
    under.sockets.setUp(false);
    client.socket.close();
    under.clock.advance(100);
    expect(client.closed).toHaveLength(1);
    expect(server.closed).toHaveLength(0);
    under.sockets.setUp(true);
    under.clock.advance(100);
    expect(server.closed).toHaveLength(1);
  });

  test("fill the sender's buffer while stalled", async () => {
    const under = simulated();
    const { client, server } = await pair(under);
    under.sockets.setStalled(true);
    client.socket.write([new Uint8Array(1000)]);
    under.clock.advance(100);
    expect(client.socket.bufferedBytes).toBe(1000);
    under.sockets.setStalled(false);
    under.clock.advance(100);
    expect(server.received).toHaveLength(1000);
    expect(client.events).toEqual(["connect", "drain"]);
  });

  test("carry what the tamperer makes of them", async () => {
    const under = simulated();
    const { client, server } = await pair(under);
    under.sockets.setTamper((chunk) => chunk.map((byte) => byte ^ 1));
    client.socket.write([text("aaaa")]);
    under.clock.advance(100);
    expect(server.received).toEqual(text("````"));
    under.sockets.setTamper(null);
    client.socket.write([text("b")]);
    under.clock.advance(100);
    expect(server.received).toEqual(text("````b"));
  });

  test("a client that closes before it is connected reaches nobody", async () => {
    const under = simulated();
    let accepted = 0;
    const listener = await under.sockets.listen("node:1", () => {
      accepted += 1;
    });
    const client = notesOf(under.sockets.connect(listener.address));
    client.socket.close();
    under.clock.advance(100);
    expect(accepted).toBe(0);
    expect(client.events).toEqual(["close"]);
  });
});
