/**
 * Does each check notice its lie? Method: three nodes in good order, and then one thing that
 * cannot be: a core that says what is not so, a disk that changes behind its back, a packet that
 * nobody should send.
 */
import { expect, test } from "vitest";
import { createRaftCore, type Input, type Message, type Output, type RaftCore } from "#raft";
import { isBrokenInvariant, type ModelNode, makeEntry, type Packet } from "#simulation";
import { put, Trio } from "./trio.ts";

type Lie = (outputs: Output[], core: RaftCore, input: Input) => void;

/** Cores whose outputs pass through the lie that is told at the time. */
class Liar {
  lie: Lie | undefined;
  readonly create: typeof createRaftCore = (options, boot, now) => {
    const core = createRaftCore(options, boot, now);
    const step = core.step.bind(core);
    core.step = (at, input, outputs) => {
      step(at, input, outputs);
      this.lie?.(outputs, core, input);
    };
    return core;
  };
}

function brokenBy(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isBrokenInvariant(error)) return error.id;
    throw error;
  }
  return "nothing";
}

/** Three nodes with a leader and one entry. */
function orderly(liar = new Liar()): Trio {
  const trio = new Trio({ createRaftCore: liar.create });
  trio.elect(1).propose(trio.now, 1, [{ command: put(1), size: 10 }]);
  trio.settle();
  return trio;
}

function editSends(outputs: Output[], edit: (message: Message) => Message | undefined): void {
  for (const [place, output] of outputs.entries()) {
    if (output.kind !== "send") continue;
    const message = edit(output.message);
    if (message !== undefined) outputs[place] = { kind: "send", to: output.to, message };
  }
}

function propose(trio: Trio): void {
  trio.node(1).propose(trio.now, 2, [{ command: put(2), size: 10 }]);
  trio.settle();
}

test("L1: a term that goes back in what a node says", () => {
  const liar = new Liar();
  const trio = orderly(liar);
  liar.lie = (outputs) => editSends(outputs, (message) => ({ ...message, term: 0 }) as Message);
  expect(brokenBy(() => propose(trio))).toBe("L1");
});

test("L1: a restart in a term before one that was spoken in", () => {
  const trio = orderly();
  const node = trio.node(1);
  node.crash();
  node.disk.hardState = { term: 0, vote: 0 };
  node.disk.log.truncateFrom(1);
  node.machine.wipe();
  expect(brokenBy(() => node.start(trio.now))).toBe("L1");
});

test("L2: two votes in one term", () => {
  const trio = new Trio();
  trio.now = 5000;
  const vote = { kind: "vote", term: 7, lastIndex: 0, lastTerm: 0, pre: false } as const;
  const ask = (from: number): void => {
    const message = { ...vote, transfer: false, attempt: 1 };
    trio.node(3).receive(trio.now, { from, to: 3, message, entries: [], copy: undefined });
    trio.node(3).sync(trio.now);
  };
  ask(1);
  const node = trio.node(3);
  node.crash();
  node.disk.hardState = { term: 7, vote: 0 };
  node.start(trio.now);
  expect(brokenBy(() => ask(2))).toBe("L2");
});

test("L3: a vote, or an entry, that is told before it is on disk", () => {
  for (const kind of ["voteReply", "appendReply"]) {
    const liar = new Liar();
    const trio = new Trio({ createRaftCore: liar.create });
    liar.lie = (outputs) => {
      editSends(outputs, (message) => (message.kind === kind ? message : undefined));
    };
    expect(brokenBy(() => trio.elect(1))).toBe("L3");
  }
});

test("L5: an entry of a term below the one before it", () => {
  const trio = orderly();
  const node = trio.node(1);
  const entry = makeEntry(node.log.lastChain, 0, { size: 1 });
  expect(brokenBy(() => trio.invariants.appended(node, node.log.lastIndex + 1, entry))).toBe("L5");
});

test("L6 and L7: a committed entry is cut, a leader cuts its log", () => {
  const trio = orderly();
  const leader = trio.node(1);
  expect(brokenBy(() => trio.invariants.truncates(leader, 2))).toBe("L6");
  leader.step(trio.now, { kind: "tick" });
  expect(brokenBy(() => trio.invariants.truncates(leader, 3))).toBe("L7");
});

test("L10 and L4: what is applied is the next, committed and durable", () => {
  const trio = orderly();
  const node = trio.node(1);
  expect(brokenBy(() => trio.invariants.handedOut(node, 9, 9))).toBe("L10");
  expect(brokenBy(() => trio.invariants.handedOut(node, 3, 3))).toBe("L4");
  expect(brokenBy(() => trio.invariants.applied(node, 9, node.log.entryAt(2)!))).toBe("L10");
});

test("L11: a configuration that does not follow from the one before, or is not told", () => {
  const trio = orderly();
  const node = trio.node(1);
  const sets = { voters: [1, 2, 9], outgoing: [], learners: [] };
  const entry = makeEntry(node.log.lastChain, 1, { size: 1, sets });
  expect(brokenBy(() => trio.invariants.appended(node, 3, entry))).toBe("L11");
  const packet: Packet = {
    from: 1,
    to: 2,
    message: {
      kind: "append",
      term: 1,
      prevIndex: 2,
      prevTerm: 1,
      sizes: [1],
      runs: [{ first: 3, term: 1 }],
      configurations: [],
      commit: 2,
      session: 0,
      round: 99,
    },
    entries: [entry],
    copy: undefined,
  };
  expect(brokenBy(() => trio.invariants.leaves(node, packet, 0))).toBe("L11");
});

test("L13 and L14: a deadline that never comes, more outputs than anybody can carry out", () => {
  const trio = orderly();
  const node = trio.node(1);
  const core = Object.assign(Object.create(node.running) as RaftCore, {});
  Object.defineProperty(core, "deadline", { value: Number.NaN });
  const tick = { kind: "tick" } as const;
  expect(brokenBy(() => trio.invariants.stepped(node, core, tick, []))).toBe("L13");
  const many = Array<Output>(5000).fill({ kind: "truncated", from: 1 });
  expect(brokenBy(() => trio.invariants.stepped(node, node.running, tick, many))).toBe("L14");
});

test("G2: one index and one term with two pasts", () => {
  const trio = orderly();
  const node = trio.node(2);
  const other = makeEntry(12345, 1, { size: 10, command: put(77) });
  expect(brokenBy(() => trio.invariants.ledger.seen(node.id, 2, other))).toBe("G2");
});

test("G4, G5 and G8: what was committed, applied and made of it stays the same", () => {
  const trio = orderly();
  const { ledger } = trio.invariants;
  const entry = trio.node(1).log.entryAt(2)!;
  const other = makeEntry(entry.before, 1, { size: 10, command: put(77) });
  expect(brokenBy(() => ledger.committed(1, 1, 2, other))).toBe("G5");
  expect(brokenBy(() => ledger.applied(1, 2, other, 0))).toBe("G4");
  expect(brokenBy(() => ledger.applied(1, 2, entry, 12345))).toBe("G8");
});

test("G6: an entry is committed that too few disks have", () => {
  const trio = orderly();
  const lose = (node: ModelNode): void => {
    node.crash();
    node.disk.log.truncateFrom(1);
  };
  trio.node(1).propose(trio.now, 2, [{ command: put(2), size: 10 }]);
  trio.node(1).sync(trio.now);
  for (const packet of trio.packets.splice(0)) trio.node(packet.to).receive(trio.now, packet);
  trio.node(2).sync(trio.now);
  lose(trio.node(2));
  const acknowledgements = trio.packets.splice(0);
  const act = (): void => {
    for (const packet of acknowledgements) trio.node(packet.to).receive(trio.now, packet);
  };
  expect(brokenBy(act)).toBe("G6");
});

test("G9: a copy with another state than there was at its index", () => {
  const trio = orderly();
  const node = trio.node(1);
  const state = { ...node.machine.state(), digest: 12345 };
  const copy = { copy: 1, totalBytes: 1, state, chain: node.log.chainAt(2)! };
  expect(brokenBy(() => trio.invariants.copied(node, copy, "made"))).toBe("G9");
});

test("G10: configurations whose quorums need not meet", () => {
  const trio = orderly();
  const sets = { voters: [4, 5, 6], outgoing: [], learners: [] };
  const entry = makeEntry(trio.invariants.ledger.chainAt(2)!, 1, { size: 1, sets });
  expect(brokenBy(() => trio.invariants.ledger.committed(1, 1, 3, entry))).toBe("G10");
});

test("a run in good order breaks nothing, and a sweep finds nothing", () => {
  const trio = orderly();
  expect(brokenBy(() => propose(trio))).toBe("nothing");
  expect(brokenBy(() => trio.invariants.sweep())).toBe("nothing");
});

test("a sweep finds a log that was changed behind everybody's back", () => {
  const trio = orderly();
  const node = trio.node(2);
  node.log.entries[1] = makeEntry(node.log.entries[1]!.before + 1, 1, { size: 10 });
  expect(brokenBy(() => trio.invariants.sweep())).toBe("L5");
});
