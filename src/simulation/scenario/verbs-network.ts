/**
 * Verbs for the wire: what arrives, what is lost, what is forged.
 *
 * Invariant: a packet that a command names and that is not there is an error, not a silent nothing.
 * Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";
import type { Packet } from "../process/index.ts";
import type { Arguments } from "./arguments.ts";
import { type Context, memberAt, memberOf, runningOf, type Verbs, worldOf } from "./context.ts";
import { forge } from "./forge.ts";
import { MESSAGE_NAMES } from "./message-text.ts";
import { FAIR_WEATHER, type Selection } from "./wire.ts";
import type { World } from "./world.ts";

/** Takes `[1->2] [kind] [next|last|all]`. */
function selectionOf(args: Arguments): Selection {
  const links = args.links();
  const kind = args.maybeOneOf(MESSAGE_NAMES);
  const which = args.maybeOneOf(["next", "last", "all"] as const) ?? "all";
  return { links, kind, which };
}

function isBroad({ links, kind }: Selection): boolean {
  return links === undefined && kind === undefined;
}

function deliver(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const kept = world.wire.kept(args.peek() ?? "");
  const name = kept === undefined ? undefined : args.word("a name");
  const selection = name === undefined ? selectionOf(args) : undefined;
  const copy = args.skip("copy");
  const damaged = args.skip("damaged");
  args.end();
  let packets = kept ?? [];
  if (selection !== undefined) {
    packets = world.wire.take(selection, copy);
    if (packets.length === 0 && !isBroad(selection)) args.wrong("nothing of that is on the wire");
  } else if (name !== undefined && !copy) {
    world.wire.forget(name);
  }
  for (const packet of packets) world.hand(damaged ? { ...packet, damaged } : packet);
}

function drop(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const selection = selectionOf(args);
  args.end();
  const dropped = world.wire.take(selection);
  if (dropped.length === 0 && !isBroad(selection)) args.wrong("nothing of that is on the wire");
}

function hold(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const selection = selectionOf(args);
  const copy = args.skip("copy");
  args.oneOf(["as"]);
  const name = args.word("a name");
  args.end();
  const packets = world.wire.take(selection, copy);
  if (packets.length === 0) args.wrong("nothing of that is on the wire");
  world.wire.keepAside(name, packets);
}

/** Sets all links: whole within a group, cut between groups; who is in none is alone. */
function partition(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const groups: NodeId[][] = [args.nodes(world.ids)];
  while (args.skip("|")) groups.push(args.nodes(world.ids));
  args.end();
  const groupOf = (id: NodeId): number => groups.findIndex((group) => group.includes(id));
  for (const from of world.ids) {
    for (const to of world.ids) {
      const isWhole = from === to || (groupOf(from) >= 0 && groupOf(from) === groupOf(to));
      if (isWhole) world.wire.mend(from, to);
      else cutOne(world, from, to);
    }
  }
}

function cutOne(world: World, from: NodeId, to: NodeId): void {
  for (const packet of world.wire.cut(from, to)) world.trace.packet(packet, "lost");
}

function eachLink(
  context: Context,
  args: Arguments,
  action: (world: World, from: NodeId, to: NodeId) => void,
): void {
  const world = worldOf(context, args);
  const links = args.links() ?? args.fail("expected a link, like 1->2 or 1--2");
  args.end();
  for (const link of links) {
    for (const from of world.ids) {
      for (const to of world.ids) {
        if (from === to) continue;
        if ((link.from ?? from) === from && (link.to ?? to) === to) action(world, from, to);
      }
    }
  }
}

function isolate(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const { id } = memberOf(world, args);
  args.end();
  for (const other of world.ids) {
    if (other === id) continue;
    cutOne(world, id, other);
    cutOne(world, other, id);
  }
}

function heal(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  if (!args.isEmpty) {
    eachLink(context, args, (_, from, to) => world.wire.mend(from, to));
    return;
  }
  for (const from of world.ids) for (const to of world.ids) world.wire.mend(from, to);
}

function weather(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  if (args.skip("fair")) {
    args.end();
    world.wire.weather = FAIR_WEATHER;
    return;
  }
  const pairs = args.pairs(["seed", "loss", "duplicate", "delay", "jitter"]);
  const number = (name: keyof typeof FAIR_WEATHER): number =>
    pairs.number(name) ?? FAIR_WEATHER[name];
  world.wire.weather = {
    seed: number("seed"),
    loss: number("loss"),
    duplicate: number("duplicate"),
    delay: number("delay"),
    jitter: number("jitter"),
  };
}

function forgeMessage(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const { from, to } = args.link();
  memberAt(world, args, to);
  const { message, entries } = forge(args);
  const sizes = message.kind === "append" ? message.sizes : [];
  const copy = message.kind === "snapshot" ? forgedCopy(world, from, message) : undefined;
  const packet: Packet = { from, to, message, entries: world.names.forged(entries, sizes), copy };
  world.hand(packet);
}

/** The bytes of a forged chunk: the state of the node it is said to come from. */
function forgedCopy(
  world: World,
  from: NodeId,
  message: Extract<Packet["message"], { kind: "snapshot" }>,
): Packet["copy"] {
  const node = world.member(from)?.node;
  const { copy, totalBytes, index } = message;
  const empty = { digest: 0, values: new Map(), sessions: new Map() };
  const state = { ...(node?.machine.state() ?? empty), index };
  return { copy, totalBytes, state, chain: node?.log.chainAt(index) ?? 0 };
}

export const NETWORK_VERBS: Verbs = {
  deliver: {
    usage: "deliver [1->2|1--2|*->2|NAME] [kind] [all|next|last] [copy] [damaged]",
    does:
      "What is on the wire now arrives, in the order sent. copy: and stays there as well. " +
      "damaged: its bytes are not what was sent (for chunks of snapshots).",
    run: deliver,
  },
  drop: {
    usage: "drop [1->2] [kind] [all|next|last]",
    does: "It is lost.",
    run: drop,
  },
  hold: {
    usage: "hold [1->2] [kind] [all|next|last] [copy] as NAME",
    does: "It is kept aside until somebody delivers NAME.",
    run: hold,
  },
  forge: {
    usage: "forge 3->1 vote term=2 last=3/1",
    does: "A message that nobody sent arrives. Written as in the outcome.",
    run: forgeMessage,
  },
  partition: {
    usage: "partition 1,2 | 3,4,5",
    does: "Only nodes of one group hear each other. What is under way between groups is lost.",
    run: partition,
  },
  isolate: {
    usage: "isolate 3",
    does: "Nobody hears this node, and it hears nobody.",
    run: isolate,
  },
  cut: {
    usage: "cut 1->2",
    does: "A link loses everything, one way; 1--2: both ways.",
    run: (context, args) => eachLink(context, args, cutOne),
  },
  clog: {
    usage: "clog 1->2",
    does: "A link holds everything back until it is healed; then all of it comes at once.",
    run: (context, args) => eachLink(context, args, (world, from, to) => world.wire.clog(from, to)),
  },
  heal: { usage: "heal [1->2]", does: "Links work again.", run: heal },
  weather: {
    usage: "weather [seed=1] [loss=30] [duplicate=20] [delay=50] [jitter=100]",
    does:
      "How all links behave while time runs: percent of packets lost or doubled, milliseconds on " +
      "the way, and up to so many more. `weather fair` ends it.",
    run: weather,
  },
  unreachable: {
    usage: "unreachable 1 peer=2",
    does: "A node's transport reports that frames to a peer were lost.",
    run: (context, args) => {
      const world = worldOf(context, args);
      const member = runningOf(world, args);
      const peer = args.pairs(["peer"]).number("peer") ?? args.fail("expected peer=");
      world.step(member, { kind: "unreachable", peer });
    },
  },
};
