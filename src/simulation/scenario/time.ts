/**
 * How things move when a scenario lets them: everything that is under way until all is quiet, or
 * time itself from one event to the next.
 *
 * Invariant: everything due at one moment happens before time goes on; among things due together
 * the order is that of the wire, then that of the nodes. Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { NodeId } from "#raft/types";
import type { Member } from "./member.ts";
import type { World } from "./world.ts";

/** Delivers and syncs until nothing is under way. No time passes. */
export function settle(world: World, ids: readonly NodeId[] = world.ids): void {
  for (;;) {
    dropOutside(world, ids);
    const packets = world.wire.takeDue(world.now);
    const syncing = among(world, ids).filter(
      (member) => (member.canSyncAtOnce || isFailing(member)) && hasWrites(member),
    );
    if (packets.length === 0 && syncing.length === 0) return;
    for (const member of syncing) world.sync(member);
    for (const packet of packets) world.hand(packet);
  }
}

/** Lets time pass; everything that is due happens. */
export function run(world: World, ms: Ms, ids: readonly NodeId[] = world.ids): void {
  const until = world.now + ms;
  for (;;) {
    settle(world, ids);
    for (const member of among(world, ids)) startSlowSync(world, member);
    const next = nextEventAt(world, ids);
    if (next === undefined || next > until) break;
    world.now = Math.max(world.now, next);
    for (const member of among(world, ids)) endSlowSync(world, member);
    settle(world, ids);
    fireDue(world, ids);
  }
  world.now = until;
}

/** Lets time pass for these nodes' clocks only: nothing arrives, nothing is synced. */
export function advance(world: World, ms: Ms, ids: readonly NodeId[] = world.ids): void {
  const until = world.now + ms;
  for (;;) {
    const next = earliest(among(world, ids).map(({ deadlineAt }) => deadlineAt));
    if (next === undefined || next > until) break;
    world.now = Math.max(world.now, next);
    fireDue(world, ids);
  }
  world.now = until;
}

/** Moves time to a node's own deadline and lets that fire, and nobody else's. */
export function timeOut(world: World, member: Member): void {
  world.now = Math.max(world.now, member.deadlineAt ?? world.now);
  world.step(member, { kind: "tick" });
}

function among(world: World, ids: readonly NodeId[]): Member[] {
  return world.members.filter(({ id }) => ids.includes(id));
}

function hasWrites({ node }: Member): boolean {
  return node.disk.pending.length > 0;
}

function isFailing(member: Member): boolean {
  return member.isAwake && member.diskState === "fail";
}

/** What goes to or comes from others is lost while only some nodes are let to act. */
function dropOutside(world: World, ids: readonly NodeId[]): void {
  if (ids.length === world.ids.length) return;
  for (const id of world.ids) {
    if (ids.includes(id)) continue;
    world.wire.take({ links: [{ from: id, to: undefined }], kind: undefined, which: "all" });
    world.wire.take({ links: [{ from: undefined, to: id }], kind: undefined, which: "all" });
  }
}

function startSlowSync(world: World, member: Member): void {
  if (member.diskState !== "slow" || !member.isAwake) return;
  if (member.underWay !== undefined || !hasWrites(member)) return;
  const count = member.node.disk.pending.length;
  member.underWay = { count, dueAt: world.now + member.syncMs };
}

function endSlowSync(world: World, member: Member): void {
  const { underWay } = member;
  if (underWay === undefined || underWay.dueAt > world.now || !member.isAwake) return;
  member.underWay = undefined;
  world.sync(member, underWay.count);
}

function fireDue(world: World, ids: readonly NodeId[]): void {
  for (const member of among(world, ids)) {
    const { deadlineAt } = member;
    if (deadlineAt !== undefined && deadlineAt <= world.now) world.step(member, { kind: "tick" });
  }
}

function nextEventAt(world: World, ids: readonly NodeId[]): Ms | undefined {
  const members = among(world, ids);
  const syncs = members.filter(({ isAwake }) => isAwake).map(({ underWay }) => underWay?.dueAt);
  const deadlines = members.map(({ deadlineAt }) => deadlineAt);
  return earliest([...syncs, ...deadlines, world.wire.nextDueAt]);
}

function earliest(times: readonly (Ms | undefined)[]): Ms | undefined {
  let first: Ms | undefined;
  for (const time of times) {
    if (time !== undefined && (first === undefined || time < first)) first = time;
  }
  return first;
}
