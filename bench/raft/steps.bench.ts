/**
 * How many decisions a second does the pure core make, and what does a proposal cost?
 *
 * Three cores in one process. Messages are handed over at once, writes are on disk at once, and
 * entries have no bytes: what remains is the core. Not measured: disk, network, codec, SQL.
 */
import { seededRandom } from "#platform";
import { createRaftCore, type Input, type NodeId, type Output, type RaftCore } from "#raft";
import { bootOf } from "../../test/raft/node.ts";
import type { Bench } from "../harness/index.ts";

const VOTERS: readonly NodeId[] = [1, 2, 3];
const ENTRY_BYTES = 200;
const WARM_UP = 2000;
/** The log is compacted now and then, as a driver would do it. */
const COMPACT_EVERY = 10_000;

interface Arrival {
  readonly node: NodeId;
  readonly input: Input;
}

/** Three cores and what is on its way to them. */
class Trio {
  readonly #cores: readonly RaftCore[];
  readonly #arrivals: Arrival[] = [];
  readonly #outputs: Output[] = [];
  #now = 0;
  steps = 0;
  messages = 0;
  applied = 0;

  constructor() {
    this.#cores = VOTERS.map((self) => {
      const random = seededRandom(self);
      const options = { self, random: () => random.fraction() };
      return createRaftCore(options, bootOf(VOTERS), 0);
    });
    this.#now = this.#cores[0]!.deadline;
    this.feed({ node: 1, input: { kind: "tick" } });
    if (this.#cores[0]!.role !== "leader") throw new Error("bench: node 1 should lead");
  }

  /** Feeds one input and everything that follows from it. */
  feed(first: Arrival): void {
    this.#arrivals.push(first);
    for (let next = 0; next < this.#arrivals.length; next += 1) this.#step(this.#arrivals[next]!);
    this.#arrivals.length = 0;
  }

  /** Lets two inputs, and more, be on their way at once: nothing is delivered before `feed`. */
  queue(arrival: Arrival): void {
    this.#arrivals.push(arrival);
  }

  compact(): void {
    const upTo = Math.min(...this.#cores.map((core) => core.status().appliedIndex));
    for (const node of VOTERS) this.feed({ node, input: { kind: "compacted", upTo } });
  }

  #step({ node, input }: Arrival): void {
    const outputs = this.#outputs;
    this.steps += 1;
    this.#cores[node - 1]!.step(this.#now, input, outputs);
    for (const output of outputs) {
      // The write is done before the message leaves, so `after` needs no queue of its own.
      if (output.kind === "persist") {
        this.#arrivals.push({ node, input: { kind: "persisted", seq: output.seq } });
      } else if (output.kind === "send") {
        this.messages += 1;
        const { to, message } = output;
        this.#arrivals.push({ node: to, input: { kind: "message", from: node, message } });
      } else if (output.kind === "apply") {
        if (node === 1) this.applied = output.to;
        this.#arrivals.push({ node, input: { kind: "applied", index: output.to } });
      }
    }
    outputs.length = 0;
  }
}

/** Runs so many proposals, `together` of them on their way at once; returns seconds. */
function propose(
  bench: Bench,
  trio: Trio,
  work: { readonly proposals: number; readonly together: number; readonly entries: number },
): number {
  const sizes = Array<number>(work.entries).fill(ENTRY_BYTES);
  const start = bench.now();
  for (let id = 1; id <= work.proposals; id += 1) {
    const arrival: Arrival = { node: 1, input: { kind: "propose", id, sizes } };
    if (id % work.together === 0) trio.feed(arrival);
    else trio.queue(arrival);
    if (id % COMPACT_EVERY === 0) trio.compact();
  }
  return (bench.now() - start) / 1e9;
}

export function stepsPerSecond(bench: Bench): void {
  const proposals = bench.parameter("proposals", { small: 2048, canonical: 200_000 });
  const together = bench.parameter("together", { small: 16, canonical: 16 });
  const entries = bench.parameter("entriesPerBatch", { small: 64, canonical: 64 });
  const rates = new Map<string, number>();
  const cases = [
    { name: "one at a time", proposals, together: 1, entries: 1 },
    { name: "pipelined", proposals, together, entries: 1 },
    { name: "batches, pipelined", proposals: proposals / 16, together, entries },
  ];
  for (const { name, ...work } of cases) {
    const trio = new Trio();
    propose(bench, trio, { ...work, proposals: WARM_UP });
    const before = { steps: trio.steps, messages: trio.messages, applied: trio.applied };
    const seconds = propose(bench, trio, work);
    const applied = trio.applied - before.applied;
    rates.set(name, applied / seconds);
    bench.figure(`${name}: steps`, (trio.steps - before.steps) / seconds, "steps/s");
    bench.figure(`${name}: entries`, applied / seconds, "entries/s");
    const perEntry = (trio.messages - before.messages) / applied;
    bench.figure(`${name}: messages per entry`, perEntry, "messages");
    bench.work(`${name} ${trio.applied} ${trio.messages}`);
  }
  bench.ratio("entries in batches of many", {
    subject: rates.get("batches, pipelined")!,
    peer: rates.get("one at a time")!,
    peerName: "one at a time",
  });
}
