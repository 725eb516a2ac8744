/**
 * S14: a node crashes after each of its steps in turn while it catches up by a snapshot and forgets
 * entries itself, with each number of its waiting writes kept; it always comes back and catches up.
 *
 * Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { run, settle, timeOut } from "./time.ts";
import { World } from "./world.ts";

const VICTIM: NodeId = 3;
const CHUNK_BYTES = 20;
/** Until it has certainly caught up, with one restart on the way. */
const CATCH_UP_MS = 6000;
const STEP_MS = 50;

export function crashPoints(context: Context, args: Arguments): string[] {
  args.end();
  let points = 0;
  let runs = 0;
  // Writes kept: none, one, all of them.
  for (const kept of [0, 1, Number.POSITIVE_INFINITY]) {
    for (let step = 1; ; step += 1) {
      const world = prepared(context);
      const isCrashed = catchUp(world, step, kept);
      check(world, args, `crash after step ${step}, ${kept} writes kept`);
      if (!isCrashed) break;
      points = Math.max(points, step);
      runs += 1;
    }
  }
  return [
    `node ${VICTIM} crashes after each of its ${points} steps, with no, one and all writes kept`,
    `${runs} runs: it comes back each time, and ends where the others are`,
  ];
}

/** Nodes 1 and 2 have forgotten what node 3 never got. */
function prepared(context: Context): World {
  const world = new World({
    createRaftCore: context.options.createRaftCore,
    voters: [1, 2, 3],
    learners: [],
    outside: [],
    preVoters: undefined,
    raft: { snapshotChunkBytesMax: CHUNK_BYTES },
  });
  world.trace.set("events", false);
  world.trace.set("messages", false);
  world.begin();
  timeOut(world, world.member(1)!);
  settle(world, [1, 2]);
  propose(world, "a", "b", "c");
  settle(world, [1, 2]);
  for (const id of [1, 2]) forget(world, id);
  return world;
}

function propose(world: World, ...names: string[]): void {
  const [leader] = world.leaders();
  if (leader === undefined) return;
  const batch = names.map((name) => ({ command: world.names.commandOf(name), size: 10 }));
  const { id } = world.requests.add("propose", leader.id, names);
  world.act(leader, (now) => leader.node.propose(now, id, batch));
}

function forget(world: World, id: NodeId): void {
  const member = world.member(id)!;
  if (!member.isUp) return;
  member.node.machine.checkpoint();
  world.act(member, (now) => member.node.compact(now, member.node.machine.durableIndex));
}

/**
 * Lets node 3 catch up, and crashes it after that many of its steps.
 *
 * @returns false: it had fewer.
 */
function catchUp(world: World, step: number, kept: number): boolean {
  const victim = world.member(VICTIM)!;
  let steps = 0;
  let isCrashed = false;
  world.onActed = (member) => {
    if (member !== victim || !victim.isUp) return;
    steps += 1;
    if (steps !== step) return;
    isCrashed = true;
    world.crash(victim, Math.min(kept, victim.node.disk.pending.length), 0);
  };
  for (let passed = 0; passed < CATCH_UP_MS; passed += STEP_MS) {
    run(world, STEP_MS);
    if (!victim.isUp) world.start(victim);
    if (passed === 10 * STEP_MS) propose(world, "d", "e");
    if (passed === 14 * STEP_MS) forget(world, VICTIM);
  }
  world.onActed = undefined;
  return isCrashed && steps >= step;
}

function check(world: World, args: Arguments, what: string): void {
  run(world, CATCH_UP_MS);
  world.finish();
  const digests = new Set(world.members.map(({ node }) => node.machine.digest));
  const applied = world.members.map(({ node }) => node.machine.index);
  if (digests.size > 1 || world.leaders().length !== 1) {
    args.wrong(`${what}: applied ${applied.join(", ")}`);
  }
}
