/**
 * How long can nobody write when a leader dies?
 *
 * Three real processes at their default timeouts; three clients in closed loops, each at home at
 * one node and going on to the next when a call fails. The leader gets SIGKILL; what is measured
 * goes from the last acknowledgement before it to the first one after it, as a client sees it. The
 * election timeout is the peer: a leader's silence is noticed after one to two of them, by whoever
 * draws the shorter one. Every acknowledged write is synced on a majority. Lost machines and lost
 * links, where no connection is refused, are not measured.
 */
import { Agent, request } from "node:http";
import { createCluster } from "../../test/support/cluster.ts";
import type { ProcessNode } from "../../test/support/processes.ts";
import type { Bench } from "../harness/index.ts";

const ELECTION_TIMEOUT_MS = 1000;
const CALL_MS_MAX = 10_000;
/** Not measured; a machine with other things to do takes its time. */
const RESTART_MS_MAX = 180_000;
const NANOSECONDS_PER_MS = 1e6;
/** Acknowledgements between two kills, so that every client is in its stride again. */
const STRIDE = 100;

/** Clients that write without pause, and when they were last told that they had. */
class Writers {
  readonly #nodes: readonly ProcessNode[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #now: () => number;
  #isRunning = true;
  #waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  acknowledged = 0;
  lastAt = 0;
  /** The first acknowledgement of a call that began after the moment that was set. */
  #firstAfter: { readonly since: number; readonly resolve: (at: number) => void } | undefined;

  constructor(nodes: readonly ProcessNode[], now: () => number) {
    this.#nodes = nodes;
    this.#now = now;
    for (const [home] of nodes.entries()) void this.#loop(home);
  }

  /** Resolves after so many more acknowledgements. */
  more(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ at: this.acknowledged + count, resolve });
    });
  }

  /** Resolves with the time of the first acknowledgement behind `since`. */
  firstAfter(since: number): Promise<number> {
    return new Promise((resolve) => {
      this.#firstAfter = { since, resolve };
    });
  }

  stop(): void {
    this.#isRunning = false;
    this.#agent.destroy();
  }

  async #loop(home: number): Promise<void> {
    let at = home;
    while (this.#isRunning) {
      const node = this.#nodes[at % this.#nodes.length] as ProcessNode;
      if (await this.#write(node)) this.#note();
      else at += 1;
      // A node that is down refuses in microseconds; the others must have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #note(): void {
    const now = this.#now();
    this.acknowledged += 1;
    if (this.#firstAfter === undefined) this.lastAt = now;
    else if (now > this.#firstAfter.since) {
      this.#firstAfter.resolve(now);
      this.#firstAfter = undefined;
    }
    const due = this.#waiting.filter(({ at }) => at <= this.acknowledged);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.acknowledged);
    for (const { resolve } of due) resolve();
  }

  #write(node: ProcessNode): Promise<boolean> {
    const { hostname, port } = new URL(node.url);
    const options = { agent: this.#agent, hostname, port, path: "/db/execute", method: "POST" };
    return new Promise((resolve) => {
      const call = request({ ...options, timeout: CALL_MS_MAX }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve(text.includes('"last_insert_id"')));
        response.on("error", () => resolve(false));
      });
      call.on("timeout", () => call.destroy());
      call.on("error", () => resolve(false));
      call.end('["INSERT INTO t(v) VALUES(1)"]');
    });
  }
}

/** Fifty leaders die: at the median, writes go on within one and a half election timeouts. */
export async function leaderKilled(bench: Bench): Promise<void> {
  const rounds = bench.parameter("rounds", { small: 1, canonical: 50 });
  const cluster = await createCluster({ dir: bench.directory(), stopAtTestEnd: false });
  bench.defer(() => cluster.stopAll());
  await cluster.startAll();
  await cluster.execute(await cluster.waitForLeader(), [
    "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
  ]);
  const writers = new Writers(cluster.nodes, () => bench.now());
  bench.defer(() => writers.stop());
  const series = bench.series("last acknowledgement before SIGKILL to first after");
  const gaps: number[] = [];
  for (let kill = 0; kill < rounds; kill += 1) {
    await writers.more(STRIDE);
    const leader = await cluster.waitForLeader();
    const dead = leader.kill9();
    // What the leader had acknowledged may still be on its way to its clients.
    await dead;
    const last = writers.lastAt;
    const first = await writers.firstAfter(bench.now());
    series.record(first - last);
    gaps.push((first - last) / NANOSECONDS_PER_MS);
    bench.work(`kill ${kill}`);
    leader.spawn();
    await cluster.waitForApplied({ timeoutMs: RESTART_MS_MAX });
  }
  report(bench, gaps);
  bench.ratio(
    "failover at p50",
    {
      subject: series.microsecondsAt(50),
      peer: ELECTION_TIMEOUT_MS * 1000,
      peerName: "election timeout of 1 s",
    },
    { atMost: 1.5 },
  );
}

function report(bench: Bench, gaps: readonly number[]): void {
  const sorted = [...gaps].sort((a, b) => a - b);
  for (const percent of [0, 10, 25, 50, 75, 90, 100]) {
    const at = Math.round(((sorted.length - 1) * percent) / 100);
    const name = percent === 0 ? "shortest" : percent === 100 ? "longest" : `p${percent}`;
    bench.figure(name, sorted[at] ?? 0, "ms");
  }
}
