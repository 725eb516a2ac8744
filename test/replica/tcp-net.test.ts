/**
 * Connections between nodes: framing over broken streams, reconnection, identity, back-pressure,
 * calls.
 *
 * Method: simulated sockets and clock; streams are cut, stalled and tampered with on purpose.
 */
import { describe, expect, test } from "vitest";
import {
  createNodeClock,
  createSimulatedClock,
  createSimulatedSockets,
  seededRandom,
} from "#platform";
import type { SimulatedClock, SimulatedSockets } from "#platform/types";
import {
  createConfiguration,
  createRpcClient,
  createTcpNet,
  FRAME_BYTES_MAX,
  frame,
  openPeerPort,
  type PeerPort,
  type RpcHandler,
  serveRpc,
  type TcpNet,
} from "#replica";
import type { Configuration } from "#replica/types";

interface World {
  readonly clock: SimulatedClock;
  readonly sockets: SimulatedSockets;
  readonly refused: string[];
  run(ms: number): Promise<void>;
}

function world(seed = 1): World {
  const clock = createSimulatedClock();
  const sockets = createSimulatedSockets({ clock, seed, chunkBytesMax: 64 });
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 5) {
      clock.advance(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, sockets, refused: [], run };
}

const configuration = createConfiguration([
  { id: "a", address: "a:1", incarnation: "1" },
  { id: "b", address: "b:1", incarnation: "2" },
]);

interface Member {
  readonly net: TcpNet;
  readonly port: PeerPort;
  readonly received: string[];
  readonly unreachable: number[];
}

async function member(
  { clock, sockets, refused }: World,
  self: number,
  known: Configuration = configuration,
): Promise<Member> {
  const address = known.members[self - 1]?.address ?? "";
  const onRefused = (_remote: string, reason: string): void => void refused.push(reason);
  const port = await openPeerPort({ sockets, clock, address, onRefused });
  const random = seededRandom(self);
  const net = createTcpNet({ sockets, clock, random, port, self, configuration: known, onRefused });
  const received: string[] = [];
  const unreachable: number[] = [];
  net.onFrame((from, frame) => received.push(`${from}:${new TextDecoder().decode(frame)}`));
  net.onUnreachable((peer) => unreachable.push(peer));
  return { net, port, received, unreachable };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("the net over sockets", () => {
  test("frames arrive whole, in order, in both directions", async () => {
    const w = world();
    const [a, b] = [await member(w, 1), await member(w, 2)];
    await w.run(100);
    for (let n = 0; n < 50; n += 1) a.net.send(2, [text(`${n} `), text("x".repeat(n * 7))]);
    b.net.send(1, [text("back")]);
    await w.run(200);
    expect(b.received).toEqual(Array.from({ length: 50 }, (_, n) => `1:${n} ${"x".repeat(n * 7)}`));
    expect(a.received).toEqual(["2:back"]);
  });

  test("a broken connection is reported and dialled again", async () => {
    const w = world();
    const [a, b] = [await member(w, 1), await member(w, 2)];
    await w.run(100);
    w.sockets.resetAll();
    await w.run(20);
    expect(a.unreachable).toEqual([2]);
    await w.run(1500);
    a.net.send(2, [text("again")]);
    await w.run(100);
    expect(b.received).toEqual(["1:again"]);
  });

  test("a frame to a node that cannot be reached is dropped and reported, not queued", async () => {
    const w = world();
    const a = await member(w, 1);
    await w.run(50);
    a.net.send(2, [text("into the void")]);
    expect(a.unreachable).toEqual([2]);
    const b = await member(w, 2);
    await w.run(2000);
    expect(b.received).toEqual([]);
    a.net.send(2, [text("now")]);
    await w.run(100);
    expect(b.received).toEqual(["1:now"]);
  });

  test("N09 a reader that stands still is not fed without limit", async () => {
    const w = world();
    const [a] = [await member(w, 1), await member(w, 2)];
    await w.run(100);
    w.sockets.setStalled(true);
    const mebibyte = new Uint8Array(1024 * 1024);
    for (let n = 0; n < 20; n += 1) a.net.send(2, [mebibyte]);
    expect(a.unreachable.length).toBeGreaterThan(8);
  });

  test("N10 a flipped bit closes the connection; later frames arrive on a new one", async () => {
    const w = world();
    const [a, b] = [await member(w, 1), await member(w, 2)];
    await w.run(100);
    w.sockets.setTamper((chunk) => {
      const damaged = chunk.slice();
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 4;
      return damaged;
    });
    a.net.send(2, [text("damaged on the way")]);
    await w.run(50);
    w.sockets.setTamper(null);
    await w.run(2000);
    a.net.send(2, [text("sound")]);
    await w.run(100);
    expect(b.received).toEqual(["1:sound"]);
  });

  test("N06 a node of another cluster, or with a wiped directory, is turned away", async () => {
    const w = world();
    const b = await member(w, 2);
    const wiped = createConfiguration(
      configuration.members.map((m) => (m.id === "a" ? { ...m, incarnation: "ff" } : m)),
    );
    const stranger = await member(w, 1, wiped);
    await w.run(300);
    stranger.net.send(2, [text("vote for me")]);
    await w.run(100);
    expect(b.received).toEqual([]);
    expect(w.refused.join("\n")).toMatch(/belongs to cluster/);
    stranger.net.close();
    await stranger.port.close();
    await member(w, 1, { ...wiped, clusterId: configuration.clusterId });
    await w.run(300);
    expect(w.refused.join("\n")).toMatch(/data directory was wiped/);
  });

  test("a path that swallows everything is given up, and found again when it heals", async () => {
    const w = world();
    const [a, b] = [await member(w, 1), await member(w, 2)];
    await w.run(100);
    a.net.send(2, [text("before")]);
    await w.run(50);
    w.sockets.setUp(false);
    for (let n = 0; n < 70; n += 1) {
      a.net.send(2, [text(`swallowed ${n}`)]);
      await w.run(100);
    }
    expect(a.unreachable.length, "given up while the path was dead").toBeGreaterThan(0);
    w.sockets.setUp(true);
    await w.run(3000);
    a.net.send(2, [text("after")]);
    b.net.send(1, [text("and back")]);
    await w.run(100);
    expect(b.received.at(0)).toBe("1:before");
    expect(b.received.at(-1)).toBe("1:after");
    expect(a.received).toEqual(["2:and back"]);
  });

  test("members that have nothing to say to each other keep their connection", async () => {
    const w = world();
    const [a, b] = [await member(w, 1), await member(w, 2)];
    await w.run(100);
    for (const said of ["one", "two"]) {
      a.net.send(2, [text(said)]);
      await w.run(20_000);
    }
    expect(a.unreachable).toEqual([]);
    expect(b.received).toEqual(["1:one", "1:two"]);
  });

  test("a stranger cannot make a node set memory aside", async () => {
    const w = world();
    await member(w, 2);
    const stranger = w.sockets.connect("b:1");
    let closed = false;
    stranger.onClose(() => {
      closed = true;
    });
    const [header] = frame([new Uint8Array(64 * 1024)]);
    stranger.write([header as Uint8Array]);
    await w.run(100);
    expect(closed, "refused at the header, before a byte of the body").toBe(true);
  });

  test("whoever speaks no hello is turned away, at once or after a while", async () => {
    const w = world();
    await member(w, 2);
    const silent = w.sockets.connect("b:1");
    let closed = false;
    silent.onClose(() => {
      closed = true;
    });
    const browser = w.sockets.connect("b:1");
    browser.write([text("GET / HTTP/1.1\r\nhost: b\r\n\r\n")]);
    await w.run(100);
    await w.run(5500);
    expect(closed).toBe(true);
    expect(w.refused).toContain("no hello");
  });
});

describe("calls", () => {
  async function served(w: World, handler: RpcHandler): Promise<PeerPort> {
    const port = await openPeerPort({ sockets: w.sockets, clock: w.clock, address: "s:1" });
    serveRpc(port, handler);
    return port;
  }
  const settle = async (w: World, call: Promise<unknown>): Promise<unknown> => {
    const outcome = call.catch((error: unknown) => error);
    await w.run(3000);
    return outcome;
  };

  test("answers find their questions whatever their order", async () => {
    const w = world();
    await served(w, async (method, payload) => {
      await new Promise<void>((resolve) => {
        w.clock.after(method === "slow" ? 500 : 1, resolve);
      });
      return payload;
    });
    const client = createRpcClient(w);
    const calls = ["slow", "fast", "slow", "fast"].map((method, n) =>
      client.call("s:1", method, text(`${method} ${n}`), 2000),
    );
    const answers = await settle(w, Promise.all(calls));
    expect((answers as Uint8Array[]).map((answer) => new TextDecoder().decode(answer))).toEqual([
      "slow 0",
      "fast 1",
      "slow 2",
      "fast 3",
    ]);
  });

  test("an error comes back with its code", async () => {
    const w = world();
    const { CairnError } = await import("#base");
    await served(w, async () => {
      throw new CairnError("REPLICA_NOT_LEADER", "not leader");
    });
    const error = await settle(w, createRpcClient(w).call("s:1", "execute", text(""), 1000));
    expect(error).toMatchObject({ code: "REPLICA_NOT_LEADER", message: "not leader" });
  });

  test("a request that never left is unreachable; one that did is of unknown outcome", async () => {
    const w = world();
    const client = createRpcClient(w);
    expect(await settle(w, client.call("s:1", "execute", text(""), 1000))).toMatchObject({
      code: "NET_UNREACHABLE",
    });
    let calls = 0;
    await served(w, () => {
      calls += 1;
      return new Promise(() => undefined);
    });
    const late = client.call("s:1", "execute", text(""), 1000);
    expect(await settle(w, late)).toMatchObject({ code: "NET_TIMEOUT" });
    const broken = client.call("s:1", "execute", text(""), 60_000).catch((error: unknown) => error);
    await w.run(100);
    w.sockets.resetAll();
    await w.run(100);
    expect(await broken).toMatchObject({ code: "REPLICA_PEER_FAILED" });
    expect(calls, "each request is carried out at most once").toBe(2);
  });

  test("an error that cannot be read leaves the outcome open, and the caller alive", async () => {
    const w = world();
    const port = await openPeerPort({ sockets: w.sockets, clock: w.clock, address: "s:1" });
    const failed = 1;
    port.onRpc((stream) => {
      stream.onFrame((request) => {
        stream.send([request.slice(0, 4), new Uint8Array([failed]), text("no JSON")]);
      });
    });
    const error = await settle(w, createRpcClient(w).call("s:1", "execute", text(""), 1000));
    expect(error).toMatchObject({ code: "REPLICA_PEER_FAILED" });
  });

  test("a request too large for a frame is refused, and that was all", async () => {
    const w = world();
    await served(w, async () => text("fine"));
    const client = createRpcClient(w);
    const large = client.call("s:1", "execute", new Uint8Array(FRAME_BYTES_MAX + 1), 1000);
    await expect(large).rejects.toThrow(RangeError);
    expect(await settle(w, client.call("s:1", "execute", text(""), 1000))).toEqual(text("fine"));
    await w.run(2000);
  });

  test("patience beyond what a timer holds is as good as any", async () => {
    const w = world();
    await served(w, async () => text("fine"));
    const client = createRpcClient({ sockets: w.sockets, clock: createNodeClock() });
    const century = 100 * 365 * 24 * 3_600_000;
    expect(await settle(w, client.call("s:1", "info", text(""), century))).toEqual(text("fine"));
  });
});
