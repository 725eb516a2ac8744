/**
 * Verbs for those who use the cluster: proposals, reads, changes of the membership, transfers.
 *
 * Invariant: every request has a name of its own, by which its outcome can be asked for.
 * Chapter: 11-simulation.
 */
import type { Arguments } from "./arguments.ts";
import { type Context, runningOf, type Verbs, worldOf } from "./context.ts";
import { ENTRY_BYTES } from "./names.ts";
import type { World } from "./world.ts";

const PAIR = /^[a-z]+=/;

/** Takes names up to the first `name=value`. `x*100` stands for x1 to x100. */
function namesOf(world: World, args: Arguments): string[] {
  const names: string[] = [];
  while (!args.isEmpty && !PAIR.test(args.peek()!)) {
    const word = args.word("a name");
    const [, stem = "", count] = /^(.+)\*(\d+)$/.exec(word) ?? [];
    if (count === undefined) names.push(word);
    else for (let i = 1; i <= Number(count); i += 1) names.push(`${stem}${i}`);
  }
  if (names.length === 0) args.fail("expected a name");
  const taken = names.find(
    (name) => world.names.isTaken(name) || world.requests.byName(name) !== undefined,
  );
  if (taken !== undefined) args.fail(`"${taken}" is taken`, args.command.words[2]);
  return names;
}

function propose(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const names = namesOf(world, args);
  const size = args.pairs(["bytes"]).number("bytes") ?? ENTRY_BYTES;
  const batch = names.map((name) => ({ command: world.names.commandOf(name), size }));
  const commands = batch.map(({ command }) => command.id);
  const { id } = world.requests.add("propose", member.id, names, commands);
  world.act(member, (now) => member.node.propose(now, id, batch));
}

function change(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const name = args.word("a name");
  const pairs = args.pairs(["voters", "learners"]);
  const voters = pairs.list("voters") ?? args.fail("expected voters=");
  const learners = pairs.list("learners") ?? [];
  const { id } = world.requests.add("change", member.id, [name]);
  world.step(member, { kind: "change", id, voters, learners });
}

function read(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const name = args.word("a name");
  const pairs = args.pairs(["key", "via"]);
  const via = pairs.text("via") ?? "index";
  if (via !== "index" && via !== "lease") return pairs.fail("via", "expected index or lease");
  const { id } = world.requests.add("read", member.id, [name]);
  const key = pairs.text("key") ?? "nothing";
  world.act(member, (now) => member.node.read(now, { id, via, key }));
}

function transfer(context: Context, args: Arguments): void {
  const world = worldOf(context, args);
  const member = runningOf(world, args);
  const to = args.pairs(["to"]).number("to") ?? 0;
  world.step(member, { kind: "transfer", to });
}

export const CLIENT_VERBS: Verbs = {
  propose: {
    usage: "propose 1 x y [bytes=10]",
    does: "A client asks a node to write entries with these names, as one batch.",
    run: propose,
  },
  read: {
    usage: "read 2 r1 key=x [via=index|lease]",
    does: "A client reads what was last written under a name: by read index, or under a lease.",
    run: read,
  },
  change: {
    usage: "change 1 c1 voters=1,2,3 [learners=4]",
    does: "An operator asks for these members and no others.",
    run: change,
  },
  transfer: {
    usage: "transfer 1 [to=2]",
    does: "An operator asks a leader to hand over, to the most advanced voter or to this one.",
    run: transfer,
  },
};
