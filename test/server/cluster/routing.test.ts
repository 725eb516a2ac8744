/**
 * Which node answers, when a call is made again, and when a read is confirmed. Method: the parts
 * alone; leadership and the fates of calls are said by hand.
 */
import { describe, expect, test } from "vitest";
import { CairnError, type ErrorCode } from "#base";
import type { Member } from "#replica/types";
import { confirmRead, createRouting, type Leadership } from "#server";
import type { NodeConfig } from "#server/types";

const TIMEOUT_MS = 100;
const member = (number: number): Member => ({
  ...{ number, id: `n${number}`, address: `n${number}:1`, incarnation: "0" },
});
const refusal = (code: ErrorCode): CairnError => new CairnError(code, code);

class World implements Leadership {
  current: Member | undefined = member(2);
  leads = false;
  isSound = true;
  leaderless = 0;
  pauses = 0;
  /** What happens while a call waits for a change. */
  onChange: () => void = () => undefined;

  leader = (): Member | undefined => this.current;
  isLeader = (): boolean => this.leads;
  leadingTerm = (): number => (this.leads ? 1 : 0);
  isReady = (): boolean => true;
  ready = (): Promise<void> => Promise.resolve();
  isVoter = (): boolean => true;
  leaderlessMs = (): number => this.leaderless;
  setRemoved = (): void => undefined;
  async change(): Promise<void> {
    this.pauses += 1;
    this.onChange();
  }

  get routing() {
    const config = { heartbeatTimeoutMs: TIMEOUT_MS, electionTimeoutMs: TIMEOUT_MS } as NodeConfig;
    return createRouting({ config, consensus: this, leadership: this });
  }
}

const never = (): Promise<string> => Promise.reject(new Error("not here"));

describe("routing", () => {
  test.each(["REPLICA_NOT_LEADER", "NET_UNREACHABLE", "REPLICA_TRANSFERRING"] as const)(
    "after %s the next leader is asked",
    async (code) => {
      const world = new World();
      world.onChange = () => {
        world.current = member(3);
      };
      const answer = world.routing.route(never, async ({ id }) => {
        if (id === "n2") throw refusal(code);
        return id;
      });
      await expect(answer).resolves.toBe("n3");
      expect(world.pauses).toBe(1);
    },
  );

  test("a leader that stops is left for another; a node that stops calls nobody", async () => {
    const world = new World();
    world.onChange = () => {
      world.current = member(3);
    };
    const stops = async ({ id }: Pick<Member, "id">): Promise<string> => {
      if (id !== "n3") throw refusal("REPLICA_STOPPED");
      return id;
    };
    await expect(world.routing.route(never, stops)).resolves.toBe("n3");
    world.leads = true;
    const here = world.routing.route(() => stops(member(1)), never);
    await expect(here).rejects.toMatchObject({ code: "REPLICA_STOPPED" });
  });

  test("what may have been carried out is not asked again, unless it only reads", async () => {
    const world = new World();
    let calls = 0;
    const breaks = async (): Promise<string> => {
      calls += 1;
      if (calls % 2 === 1) throw refusal("REPLICA_PEER_FAILED");
      return "read";
    };
    const write = world.routing.route(never, breaks, { timeoutMs: 1000 });
    await expect(write).rejects.toMatchObject({ code: "REPLICA_PEER_FAILED" });
    expect(calls).toBe(1);
    calls = 0;
    const read = world.routing.route(never, breaks, { timeoutMs: 1000, isRead: true });
    await expect(read).resolves.toBe("read");
  });

  test("a node waits for a leader, but not if it has been without for long", async () => {
    const world = new World();
    world.current = undefined;
    world.onChange = () => {
      world.leads = true;
      world.current = member(1);
    };
    await expect(world.routing.route(async () => "here", never)).resolves.toBe("here");
    world.current = undefined;
    world.leaderless = 3 * TIMEOUT_MS;
    world.pauses = 0;
    const hopeless = world.routing.route(async () => "here", never);
    await expect(hopeless).rejects.toMatchObject({ code: "SERVER_NO_LEADER" });
    expect(world.pauses).toBe(0);
  });

  test("a node whose state is wrong serves nobody, as a leader or not", async () => {
    const world = new World();
    world.isSound = false;
    const { routing } = world;
    const diverged = { code: "REPLICA_DIVERGED" };
    await expect(routing.route(never, never)).rejects.toMatchObject(diverged);
    await expect(routing.leading(never)).rejects.toMatchObject(diverged);
    expect(() => routing.checkSound()).toThrow(expect.objectContaining(diverged));
  });
});

describe("confirming a read", () => {
  const confirm = (
    world: World,
    read: () => Promise<{ index: number }>,
    limitMs = 10_000,
  ): Promise<void> =>
    confirmRead({
      consensus: { read, status: async () => ({ commitIndex: 7 }) as never },
      leadership: world,
      limitMs,
      leaderlessMsMax: 3 * TIMEOUT_MS,
    });
  const failed = (reason: string): CairnError =>
    new CairnError("REPLICA_READ_FAILED", reason, { details: { reason } });

  test("a confirmation that was lost is asked for again", async () => {
    const fates = ["leadership-lost", "no-leader", "timeout"];
    const world = new World();
    await confirm(world, async () => {
      const reason = fates.shift();
      if (reason !== undefined) throw failed(reason);
      return { index: 1 };
    });
    expect(world.pauses).toBe(3);
  });

  test("when the time is over the reference's text says so; without a leader, that", async () => {
    const world = new World();
    const late = confirm(world, () => new Promise(() => undefined), 1);
    await expect(late).rejects.toMatchObject({
      code: "REPLICA_READ_FAILED",
      message: "index 7: timeout waiting for fsm",
    });
    world.current = undefined;
    world.leaderless = 4 * TIMEOUT_MS;
    const alone = confirm(world, () => Promise.reject(failed("no-leader")));
    await expect(alone).rejects.toMatchObject({ code: "SERVER_NO_LEADER" });
    const broken = confirm(world, () => Promise.reject(refusal("REPLICA_STOPPED")));
    await expect(broken).rejects.toMatchObject({ code: "REPLICA_STOPPED" });
  });
});
