/**
 * Verbs that look: at nodes, at what leaders think of their peers, at requests, at the wire.
 *
 * Invariant: looking changes nothing, and an expectation that fails says what is there instead.
 * Chapter: 11-simulation.
 */
import type { PeerStatus, RaftStatus } from "#raft/types";
import type { Arguments } from "./arguments.ts";
import { type Context, memberAt, membersOf, type Verbs, worldOf } from "./context.ts";
import type { Member } from "./member.ts";
import { MESSAGE_NAMES } from "./message-text.ts";
import { type Request, stateText } from "./requests.ts";
import type { World } from "./world.ts";

/** `name=value`, `name>=value`, `name<=value`, `name!=value`. */
const COMPARISON = /^([A-Za-z]+)(=|>=|<=|!=)(.*)$/;

type Fields = Readonly<Record<string, string | number>>;

/** Takes one comparison and checks it against what is there. */
function compare(args: Arguments, fields: Fields, who: string): void {
  const word = args.command.words[args.position]!;
  const match = COMPARISON.exec(args.word("name=value"));
  if (match === null) args.fail("expected name=value", word);
  const [, name = "", operator = "", wanted = ""] = match;
  const actual = fields[name];
  if (actual === undefined) {
    args.fail(`expected one of ${Object.keys(fields).join(" ")}`, word);
  }
  if (!holds(`${actual}`, operator, wanted)) {
    args.wrong(`expected ${word.text}, but ${who} has ${name}=${actual}`, word);
  }
}

function holds(actual: string, operator: string, wanted: string): boolean {
  switch (operator) {
    case "=":
      return actual === wanted;
    case "!=":
      return actual !== wanted;
    case ">=":
      return Number(actual) >= Number(wanted);
    default:
      return Number(actual) <= Number(wanted);
  }
}

/** What can be said of a node. */
function fieldsOf(world: World, member: Member): Fields {
  const { node } = member;
  if (node.core === undefined)
    return { state: member.haltedWith === undefined ? "down" : "halted" };
  const status: RaftStatus = node.core.status();
  const { sets } = status.configuration;
  const committed = status.committedConfiguration.sets;
  return {
    state: member.isPaused ? "paused" : "running",
    role: status.role,
    term: status.term,
    vote: status.vote,
    leader: status.leader,
    commit: status.commitIndex,
    applied: node.machine.index,
    durable: node.machine.durableIndex,
    stable: status.stableIndex,
    first: status.firstIndex,
    last: status.lastIndex,
    log: node.log.entries.map(({ term }) => term).join(","),
    entries: node.log.entries.map((entry) => world.names.nameOf(entry)).join(","),
    voters: sets.voters.join(","),
    outgoing: sets.outgoing.join(","),
    learners: sets.learners.join(","),
    committedVoters: committed.voters.join(","),
    removed: status.removed ? "yes" : "no",
    transferring: status.transferringTo,
    reads: status.pendingReads,
    uncommitted: status.uncommittedBytes,
    unapplied: status.unappliedBytes,
    writes: node.disk.pending.length,
  };
}

function peerFields(peer: PeerStatus): Fields {
  const { match, next, state, inFlight, voter, caughtUp } = peer;
  return {
    match,
    next,
    state,
    inFlight,
    voter: voter ? "yes" : "no",
    caughtUp: caughtUp ? "yes" : "no",
  };
}

/** `expect 1 peer=2 match=5`: what a leader thinks of a peer. */
function expectPeer(args: Arguments, member: Member): boolean {
  const number = /^peer=(\d+)$/.exec(args.peek() ?? "")?.[1];
  if (number === undefined) return false;
  args.word("peer=");
  const peers = member.node.core?.status().peers ?? [];
  if (args.skip("gone")) {
    if (peers.some(({ peer }) => peer === Number(number))) args.wrong(`peer ${number} is there`);
    return true;
  }
  const status = peers.find(({ peer }) => peer === Number(number));
  if (status === undefined) return args.wrong(`node ${member.id} has no peer ${number}`);
  while (!args.isEmpty) compare(args, peerFields(status), `peer ${number}`);
  return true;
}

/** `expect 3 halted "text"`. */
function expectHalted(args: Arguments, member: Member): boolean {
  if (!args.skip("halted")) return false;
  const text = args.isEmpty ? "" : args.word("a part of the reason");
  if (member.haltedWith === undefined) args.wrong(`node ${member.id} has not halted`);
  if (!member.haltedWith!.includes(text)) args.wrong(`it halted with "${member.haltedWith}"`);
  return true;
}

function expectNodes(world: World, args: Arguments): void {
  const start = args.position;
  const members = membersOf(world, args);
  const rest = args.position;
  for (const member of members) {
    args.position = rest;
    if (expectHalted(args, member) || expectPeer(args, member)) continue;
    if (args.isEmpty) args.fail("expected name=value", args.command.words[start]);
    while (!args.isEmpty) compare(args, fieldsOf(world, member), `node ${member.id}`);
  }
}

/** A batch is committed or lost once some node has committed at its place. */
function fateOf(world: World, request: Request, name: string): string {
  const { state, names, commands } = request;
  if (state.is !== "accepted" || request.kind === "read") return stateText(state);
  const index = state.from + Math.max(0, names.indexOf(name));
  for (const { node } of world.members) {
    const commit = Math.max(node.core?.commitIndex ?? 0, node.machine.index);
    const entry = node.log.entryAt(index);
    if (commit < index || entry === undefined) continue;
    const command = commands[names.indexOf(name)];
    const isIt = command === undefined ? entry.term === state.term : entry.command?.id === command;
    return isIt ? "committed" : "lost";
  }
  return "pending";
}

function expectRequest(world: World, args: Arguments, request: Request, name: string): void {
  const wanted: string[] = [];
  const word = args.command.words[args.position];
  while (!args.isEmpty) wanted.push(args.word("an outcome"));
  const actual = fateOf(world, request, name);
  // A value may be expected without saying where it was read.
  const isFull = actual === wanted.join(" ");
  const isValue = wanted[0] === "value" && actual.startsWith(`${wanted.join(" ")} at `);
  if (!isFull && !isValue) args.wrong(`${name} is ${actual}`, word);
}

/** `expect sent [1->2] append=3 heartbeat=0`: since the last `count`. */
function expectSent(context: Context, world: World, args: Arguments): void {
  const link = args.links()?.[0];
  const fields: Record<string, number> = { total: 0, refusal: 0 };
  for (const name of MESSAGE_NAMES) fields[name] = 0;
  for (const [key, sent] of world.wire.counts) {
    const [way = "", kind = ""] = key.split(" ");
    const [from, to] = way.split("->").map(Number);
    if (link !== undefined && (link.from ?? from) !== from) continue;
    if (link !== undefined && (link.to ?? to) !== to) continue;
    const count = sent - (context.counted.get(key) ?? 0);
    fields[kind] = fields[kind]! + count;
    // A refusal is counted as an append reply already.
    if (kind !== "refusal") fields["total"]! += count;
  }
  if (args.isEmpty) args.fail("expected kind=count");
  while (!args.isEmpty) compare(args, fields, "the wire");
}

function expectWire(world: World, args: Arguments): void {
  const links = args.links();
  const kind = args.maybeOneOf(MESSAGE_NAMES);
  const wanted = args.number("how many");
  const { length } = world.wire.take({ links, kind, which: "all" }, true);
  if (length !== wanted) args.wrong(`${length} are waiting`);
}

function expect(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  if (args.skip("leader") && (args.peek() === "none" || /^\d+$/.test(args.peek() ?? ""))) {
    const leaders = world.leaders().map(({ id }) => id);
    const wanted = args.skip("none") ? "" : `${args.number("a node")}`;
    if (leaders.join(",") !== wanted) args.wrong(`leading: ${leaders.join(",") || "none"}`);
  } else if (args.position > 1) {
    args.position = 1;
    expectNodes(world, args);
  } else if (args.skip("leaders")) {
    const wanted = args.number("how many");
    const leaders = world.leaders().map(({ id }) => id);
    if (leaders.length !== wanted) args.wrong(`leading: ${leaders.join(",") || "none"}`);
  } else if (args.skip("sent")) expectSent(context, world, args);
  else if (args.skip("waiting")) expectWire(world, args);
  else {
    const request = world.requests.byName(args.peek() ?? "");
    if (request !== undefined) expectRequest(world, args, request, args.word("a name"));
    else expectNodes(world, args);
  }
  args.end();
}

export const EXPECT_VERBS: Verbs = {
  expect: {
    usage: "expect 1 role=leader term>=2 | expect x committed | expect sent 1->2 append=3 | ...",
    does: "Looks, and fails with what is there instead.",
    run: expect,
  },
  count: {
    usage: "count",
    does: "From here on `expect sent` counts anew.",
    run: (context, args) => {
      const world = worldOf(context, args);
      args.end();
      context.counted = new Map(world.wire.counts);
    },
  },
  breaks: {
    usage: "breaks G12",
    does:
      "One of the next commands must break this invariant: a scenario that shows what goes wrong " +
      "beyond what was promised. The cluster is over then.",
    run: (context, args) => {
      worldOf(context, args);
      context.breaks = args.word("the id of an invariant");
      args.end();
    },
  },
  state: {
    usage: "state [1,2] [role term commit ...]",
    does: "Says how nodes are, in the outcome.",
    run: state,
  },
};

/** What `state` says of a node unless it is asked for something else. */
const STATE_FIELDS = ["role", "term", "commit", "log"];

function state(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const members = args.isEmpty ? world.members : membersOf(world, args);
  const names: string[] = [];
  while (!args.isEmpty) names.push(args.word("a field"));
  for (const { id } of members) {
    const member = memberAt(world, args, id);
    const fields = fieldsOf(world, member);
    const wanted = names.length > 0 ? names : STATE_FIELDS;
    const words = wanted.filter((name) => name in fields).map((name) => `${name}=${fields[name]}`);
    world.trace.event(`${id}: ${words.length > 0 ? words.join(" ") : fields["state"]}`);
  }
}
