/**
 * C02 and P08: long runs in which nodes die and start again at random, under all invariants.
 *
 * Invariant: afterwards, with all nodes up and a quiet network, the cluster is one again.
 * Chapter: 11-simulation. Source: the figure 8 tests of MIT's course 6.824.
 */
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { draw } from "./draw.ts";
import type { Member } from "./member.ts";
import { run } from "./time.ts";
import { FAIR_WEATHER } from "./wire.ts";
import { World } from "./world.ts";

const NODES = 5;
const MAJORITY = 3;
/** Long enough for several elections, whatever the draws. */
const RECOVERY_MS = 30_000;
const TIMEOUT_DRAWS = 64;
const MINUTE_MS = 60_000;

/** Chance of one storm, each purpose with its own numbers. */
class Chance {
  readonly #seed: number;
  readonly #drawn = new Map<number, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** From 0 to below `before`. */
  below(purpose: number, before: number): number {
    const n = this.#drawn.get(purpose) ?? 0;
    this.#drawn.set(purpose, n + 1);
    return Math.floor(before * draw(this.#seed, purpose, n));
  }
}

const WHO = 1;
const WHEN = 2;
const WHETHER = 3;
const KEPT = 4;
const TIMEOUTS = 5;

interface Storm {
  readonly world: World;
  readonly chance: Chance;
  crashes: number;
  proposals: number;
}

function startStorm(context: Context, seed: number): Storm {
  const { createRaftCore } = context.options;
  const voters = Array.from({ length: NODES }, (_, i) => i + 1);
  const rest = { learners: [], outside: [], preVoters: undefined, raft: {} };
  const world = new World({ createRaftCore, voters, ...rest });
  const chance = new Chance(seed);
  for (const id of voters) {
    const draws = Array.from({ length: TIMEOUT_DRAWS }, (_, n) =>
      draw(seed, TIMEOUTS, id * TIMEOUT_DRAWS + n),
    );
    world.draws.set(id, draws);
  }
  world.trace.set("events", false);
  world.trace.set("messages", false);
  world.begin();
  return { world, chance, crashes: 0, proposals: 0 };
}

/** A process dies; some of what was under way to its disk and its machine's disk arrived. */
function kill(storm: Storm, member: Member): void {
  const { world, chance } = storm;
  const { disk, machine } = member.node;
  storm.crashes += 1;
  const writes = chance.below(KEPT, disk.pending.length + 1);
  world.crash(member, writes, chance.below(KEPT, machine.unsynced + 1));
}

function propose(storm: Storm, member: Member): void {
  const { world } = storm;
  storm.proposals += 1;
  const command = world.names.commandOf(`w${storm.proposals}`);
  const batch = [{ command, size: 10 }];
  world.act(member, (now) => member.node.propose(now, storm.proposals, batch));
}

/** All nodes up, a quiet network, one more write: everybody has everything. */
function endStorm({ world, ...storm }: Storm, args: Arguments): string {
  world.wire.weather = FAIR_WEATHER;
  for (const member of world.members) if (!member.isUp) world.start(member);
  run(world, RECOVERY_MS);
  const [leader] = world.leaders();
  if (leader === undefined) return args.wrong(`no leader ${RECOVERY_MS} ms after the storm`);
  propose({ world, ...storm }, leader);
  run(world, RECOVERY_MS);
  world.finish();
  const applied = world.members.map(({ node }) => node.machine.index);
  const digests = new Set(world.members.map(({ node }) => node.machine.digest));
  if (new Set(applied).size > 1 || digests.size > 1) {
    args.wrong(`nodes end apart: applied ${applied.join(", ")}`);
  }
  return `afterwards all ${NODES} nodes have applied the same ${applied[0]} entries`;
}

/** Leaders crash at the worst moments, and come back when there is no majority without them. */
export function figure8(context: Context, args: Arguments): string[] {
  const pairs = args.pairs(["seed", "rounds", "unreliable"]);
  const seed = pairs.number("seed") ?? 1;
  const rounds = pairs.number("rounds") ?? 300;
  const storm = startStorm(context, seed);
  const { world, chance } = storm;
  if (pairs.text("unreliable") === "yes") {
    world.wire.weather = { loss: 10, duplicate: 10, delay: 1, jitter: 30, seed };
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const leader of world.leaders()) propose(storm, leader);
    // Mostly a moment, now and then long enough for an election.
    run(world, chance.below(WHETHER, 4) === 0 ? chance.below(WHEN, 2500) : chance.below(WHEN, 13));
    for (const leader of world.leaders()) {
      if (chance.below(WHETHER, 2) === 0) kill(storm, leader);
    }
    const down = world.members.filter(({ isUp }) => !isUp);
    if (NODES - down.length < MAJORITY) world.start(down[chance.below(WHO, down.length)]!);
  }
  const { crashes, proposals } = storm;
  const end = endStorm(storm, args);
  return [
    `seed ${seed}: ${rounds} rounds, ${proposals} proposals, ${crashes} crashed leaders`,
    end,
  ];
}

/** Any node, every 50 to 500 ms. */
export function restartStorm(context: Context, args: Arguments): string[] {
  const pairs = args.pairs(["seed", "minutes"]);
  const seed = pairs.number("seed") ?? 1;
  const minutes = pairs.number("minutes") ?? 10;
  const storm = startStorm(context, seed);
  const { world, chance } = storm;
  while (world.now < minutes * MINUTE_MS) {
    run(world, 50 + chance.below(WHEN, 450));
    const member = world.members[chance.below(WHO, NODES)]!;
    if (member.isUp) kill(storm, member);
    else world.start(member);
    for (const leader of world.leaders()) propose(storm, leader);
    // A checkpoint now and then, as SQLite makes them.
    if (chance.below(WHETHER, 4) === 0) member.node.machine.checkpoint();
  }
  const { crashes, proposals } = storm;
  const end = endStorm(storm, args);
  return [`seed ${seed}: ${minutes} minutes, ${crashes} crashes, ${proposals} proposals`, end];
}
