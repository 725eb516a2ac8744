/**
 * The ways to peers: two lanes, members that come, move and go, nodes that are no members.
 *
 * Method: simulated sockets and clock; one lane is held back by a wrapper around the sockets.
 */
import { describe, expect, test } from "vitest";
import { createSimulatedClock, createSimulatedSockets, seededRandom } from "#platform";
import type { SimulatedClock, Sockets } from "#platform/types";
import { createConfiguration, createTcpNet, openPeerPort, type TcpNet } from "#replica";
import type { Configuration } from "#replica/types";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const configuration = createConfiguration(
  ["a", "b"].map((id) => ({ id, address: `${id}:1`, incarnation: id })),
);

/** The same cluster with a third member. */
const grown: Configuration = {
  ...configuration,
  members: [...configuration.members, { number: 3, id: "c", address: "c:1", incarnation: "c" }],
  sets: { ...configuration.sets, learners: [3] },
  nextNumber: 4,
};

class World {
  readonly clock: SimulatedClock = createSimulatedClock();
  readonly #sockets = createSimulatedSockets({ clock: this.clock, seed: 1 });
  readonly refused: string[] = [];
  /** What large lanes were given to send, while they are held back. */
  #held: (() => void)[] | undefined;

  /** Keeps back what is written to any but the first connection to an address. */
  holdBulk(): void {
    this.#held = [];
  }

  releaseBulk(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const write of held) write();
  }

  #socketsOf(): Sockets {
    const dialled = new Set<string>();
    return {
      listen: (address, onSocket) => this.#sockets.listen(address, onSocket),
      connect: (address) => {
        const socket = this.#sockets.connect(address);
        const isBulk = dialled.has(address);
        dialled.add(address);
        if (!isBulk) return socket;
        const write = socket.write.bind(socket);
        socket.write = (parts) => {
          if (this.#held === undefined) write(parts);
          else this.#held.push(() => write(parts));
        };
        return socket;
      },
    };
  }

  async node(
    self: number,
    known: Configuration,
  ): Promise<{ net: TcpNet; received: string[]; unreachable: number[]; gone: number[] }> {
    const { clock } = this;
    const sockets = this.#socketsOf();
    const address = known.members[self - 1]?.address ?? "";
    const onRefused = (_: string, reason: string): void => void this.refused.push(reason);
    const port = await openPeerPort({ sockets, clock, address, onRefused });
    const net = createTcpNet({
      ...{ sockets, clock, random: seededRandom(self), port, self, configuration: known },
      onRefused,
    });
    const received: string[] = [];
    const unreachable: number[] = [];
    net.onFrame((from, body) => received.push(`${from}:${new TextDecoder().decode(body)}`));
    const gone: number[] = [];
    net.onUnreachable((peer, isGone) => (isGone ? gone : unreachable).push(peer));
    return { net, received, unreachable, gone };
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5) {
      this.clock.advance(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe("two lanes", () => {
  test("F06 what is large keeps nothing waiting that is small", async () => {
    const world = new World();
    const a = await world.node(1, configuration);
    const b = await world.node(2, configuration);
    await world.run(100);
    world.holdBulk();
    a.net.send(2, [text("large")], "bulk");
    a.net.send(2, [text("behind it")], "bulk");
    a.net.send(2, [text("heartbeat")]);
    await world.run(100);
    expect(b.received).toEqual(["1:heartbeat"]);
    world.releaseBulk();
    await world.run(100);
    expect(b.received).toEqual(["1:heartbeat", "1:large", "1:behind it"]);
    expect(a.unreachable).toEqual([]);
  });
});

describe("members that come, move and go", () => {
  test("a peer that closes both connections is gone; one that dials again was not", async () => {
    const world = new World();
    const a = await world.node(1, configuration);
    const b = await world.node(2, configuration);
    await world.run(2000);
    // The address of the other changes and changes back: only our own connection is renewed.
    const [one, two] = configuration.members;
    const elsewhere = { ...two!, address: "nowhere:1" };
    a.net.update({ ...configuration, members: [one!, elsewhere] });
    a.net.update(configuration);
    await world.run(500);
    expect([a.gone, b.gone]).toEqual([[], []]);
    b.net.close();
    await world.run(100);
    expect(a.gone.length).toBeGreaterThan(0);
    expect(new Set(a.gone)).toEqual(new Set([2]));
  });

  test("a new member is dialled when the configuration names it", async () => {
    const world = new World();
    const a = await world.node(1, configuration);
    a.net.send(3, [text("too early")]);
    a.net.update(grown);
    const c = await world.node(3, grown);
    await world.run(500);
    a.net.send(3, [text("welcome")]);
    c.net.send(1, [text("thanks")]);
    await world.run(100);
    expect(c.received).toEqual(["1:welcome"]);
    expect(a.received).toEqual(["3:thanks"]);
  });

  test("a node that this one does not know yet is heard and can be answered", async () => {
    const world = new World();
    const b = await world.node(2, configuration);
    const c = await world.node(3, grown);
    await world.run(500);
    c.net.send(2, [text("a member you have not heard of")]);
    await world.run(500);
    b.net.send(3, [text("an answer")]);
    await world.run(100);
    expect(b.received).toEqual(["3:a member you have not heard of"]);
    expect(c.received).toEqual(["2:an answer"]);
  });

  test("a member that has moved is dialled at its new address", async () => {
    const world = new World();
    const a = await world.node(1, configuration);
    const moved = configuration.members.map((member) =>
      member.id === "b" ? { ...member, address: "elsewhere:1" } : member,
    );
    const next = { ...configuration, members: moved };
    const b = await world.node(2, next);
    a.net.update(next);
    await world.run(500);
    a.net.send(2, [text("there you are")]);
    await world.run(100);
    expect(b.received).toEqual(["1:there you are"]);
  });

  test("one that was removed is forgotten a minute after its last word", async () => {
    const world = new World();
    const a = await world.node(1, grown);
    const c = await world.node(3, grown);
    await world.run(100);
    a.net.update(configuration);
    a.net.send(3, [text("you are out")]);
    await world.run(100);
    expect(c.received).toEqual(["1:you are out"]);
    c.net.close();
    await world.run(130_000);
    const before = a.unreachable.length;
    a.net.send(3, [text("nobody")]);
    await world.run(5000);
    expect(a.unreachable, "it is dialled no more").toHaveLength(before);
  });
});

describe("who is turned away", () => {
  test("a node of another epoch, in both directions", async () => {
    const world = new World();
    const a = await world.node(1, { ...configuration, epoch: 1 });
    const b = await world.node(2, configuration);
    await world.run(500);
    a.net.send(2, [text("from the recovered")]);
    b.net.send(1, [text("from the past")]);
    await world.run(500);
    expect([...a.received, ...b.received]).toEqual([]);
    expect(world.refused.join("\n")).toMatch(/epoch 0, this is 1/);
    expect(world.refused.join("\n")).toMatch(/epoch 1, this is 0/);
  });
});
