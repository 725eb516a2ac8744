/**
 * `cairn cluster`: a whole cluster on this machine, to look at, to ask and to break.
 *
 * Invariant: when it ends, whatever the reason, its nodes end too; their data stays.
 */
import { CairnError, errorText, type Ms } from "#base";
import { createNodeDisk } from "#platform";
import { type ClusterDirectory, openClusterDirectory } from "./cluster-directory.ts";
import { LOOPBACK, type PlannedNode, type PlanOptions, planCluster } from "./cluster-plan.ts";
import { countNodes, introduction } from "./cluster-text.ts";
import { type ClusterWatch, watchCluster } from "./cluster-watch.ts";
import { exitWithParent } from "./exit-with-parent.ts";
import { changedNodes, describeChanges, renderLine, renderView } from "./live-view.ts";
import { askReady, postStatements } from "./node-client.ts";
import { openNodeLog } from "./node-log.ts";
import { createNodeProcess, type NodeProcess, RESTART_MS } from "./node-process.ts";
import { isPortFree } from "./ports.ts";
import { loadSample } from "./sample-load.ts";
import type { Screen } from "./screen.ts";
import { pauseUnless } from "./stop-signal.ts";

/** Twice a second: fast enough to watch an election, slow enough to cost nothing. */
const REFRESH_MS: Ms = 500;
/** Elections take a second or two; a machine that is busy with other things, some more. */
const READY_MS_MAX: Ms = 60_000;
const READY_POLL_MS: Ms = 200;

/** What the command line asks for. */
export interface ClusterOptions extends PlanOptions {
  readonly dir: string;
  /** Begin with an empty database. */
  readonly fresh: boolean;
  /** Create the sample database if it is not there. */
  readonly sample: boolean;
}

/** What a run needs of the process around it. */
export interface ClusterSurroundings {
  readonly screen: Screen;
  /** Aborted when the cluster shall stop. */
  readonly stop: AbortSignal;
  /** Aborted when it shall stop at once, without grace. */
  readonly kill: AbortSignal;
}

/**
 * Runs a cluster until `stop`.
 *
 * @throws `DISK_LOCKED`, `NET_ADDRESS_IN_USE`, `SERVER_CONFIG_INVALID` before anything is started;
 * `SERVER_NO_LEADER` when the nodes do not come up, or no majority of them stays.
 */
export async function runCluster(
  options: ClusterOptions,
  surroundings: ClusterSurroundings,
): Promise<void> {
  exitWithParent();
  const directory = openClusterDirectory(createNodeDisk(), options.dir, options);
  try {
    const { screen } = surroundings;
    const isFree = (port: number): Promise<boolean> => isPortFree(LOOPBACK, port);
    const plan = await planCluster(options, directory, { isFree, say: screen.say });
    // Before the first node starts: from then on its port is stored in the cluster too.
    directory.remember(plan.map(({ id, raftPort }) => ({ id, raftPort })));
    const logs = `logs: ${directory.logPath(1)}${plan.length === 1 ? "" : " and so on"}`;
    screen.say(`Starting ${countNodes(plan.length)}; ${logs}`);
    await new ClusterRun(plan, options, surroundings).run(directory);
  } finally {
    directory.close();
  }
}

class ClusterRun {
  readonly #plan: readonly PlannedNode[];
  readonly #options: ClusterOptions;
  readonly #screen: Screen;
  readonly #outerStop: AbortSignal;
  readonly #kill: AbortSignal;
  /** Ends the run: because it was asked to, or because it failed. */
  readonly #ended = new AbortController();
  readonly #processes: readonly NodeProcess[];
  readonly #watch: ClusterWatch;

  constructor(
    plan: readonly PlannedNode[],
    options: ClusterOptions,
    surroundings: ClusterSurroundings,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#screen = surroundings.screen;
    this.#outerStop = surroundings.stop;
    this.#kill = surroundings.kill;
    const disk = createNodeDisk();
    this.#processes = plan.map(({ id, flags, logPath }) =>
      createNodeProcess({ id, flags, log: openNodeLog(disk, logPath), say: this.#sayTimed }),
    );
    this.#watch = watchCluster(
      plan.map(({ url }, index) => ({ url, process: this.#processes[index] as NodeProcess })),
    );
  }

  async run(directory: ClusterDirectory): Promise<void> {
    const end = (): void => this.#ended.abort();
    this.#outerStop.addEventListener("abort", end, { once: true });
    if (this.#outerStop.aborted) end();
    const refreshing = this.#refreshUntilEnded();
    try {
      for (const process of this.#processes) process.start();
      await Promise.race([this.#serve(directory), refreshing]);
      await refreshing;
    } finally {
      end();
      // Its failure is the one that is on its way already, or comes too late to matter.
      await refreshing.catch(() => undefined);
      await this.#stopAll();
    }
  }

  readonly #sayTimed = (text: string): void => {
    this.#screen.say(`${new Date().toLocaleTimeString("en-GB")}  ${text}`);
  };

  /** From the first answer to the introduction; then there is nothing to do but to watch. */
  async #serve(directory: ClusterDirectory): Promise<void> {
    const { signal } = this.#ended;
    await this.#waitUntilReady();
    if (signal.aborted) return;
    if (this.#options.sample) await this.#createSample();
    if (signal.aborted) return;
    const text = introduction({
      nodes: this.#watch.views,
      dir: directory.path,
      sample: this.#options.sample,
      restartSeconds: RESTART_MS / 1000,
    });
    this.#screen.say(text);
  }

  async #waitUntilReady(): Promise<void> {
    const { signal } = this.#ended;
    const deadline = performance.now() + READY_MS_MAX;
    while (!signal.aborted) {
      const answers = await Promise.all(this.#plan.map(({ url }) => askReady(url)));
      const { views } = this.#watch;
      const hasLeader = views.some(({ phase, role }) => phase === "up" && role === "leader");
      // One that was given up is told about, and not waited for.
      const settled = this.#processes.every(
        ({ phase }, index) => phase === "failed" || answers[index] === true,
      );
      if (hasLeader && settled) return;
      if (performance.now() > deadline) throw this.#notReady();
      await pauseUnless(signal, READY_POLL_MS);
    }
  }

  #notReady(): CairnError {
    const ends = this.#processes.map(
      ({ log }) =>
        `${log.path}:\n${log
          .tail()
          .map((line) => `  ${line}\n`)
          .join("")}`,
    );
    return new CairnError(
      "SERVER_NO_LEADER",
      `cluster: no leader, or not all nodes ready, after ${READY_MS_MAX / 1000} s. ` +
        `The ends of the logs:\n${ends.join("")}`,
    );
  }

  async #createSample(): Promise<void> {
    let next = 0;
    try {
      const outcome = await loadSample((path, statements) => {
        // Another node at each try: any one will do, and one of them may be down.
        const { url } = this.#plan[next % this.#plan.length] as PlannedNode;
        return postStatements(url, path, statements).catch((error: unknown) => {
          next += 1;
          throw error;
        });
      });
      this.#screen.say(
        outcome === "created"
          ? "Created the sample database, a book shop: authors, books, customers, orders, " +
              "order_lines and the view best_sellers"
          : "Found the sample database of an earlier start",
      );
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      this.#screen.say(`The sample database was not created: ${errorText(error)}`);
    }
  }

  async #refreshUntilEnded(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const before = this.#watch.views;
      await this.#watch.refresh();
      if (signal.aborted) return;
      const { views } = this.#watch;
      this.#screen.show(renderView(views, this.#screen.style()));
      for (const sentence of describeChanges(before, views)) this.#sayTimed(sentence);
      if (!this.#screen.live) {
        for (const node of changedNodes(before, views)) this.#sayTimed(renderLine(node));
      }
      this.#checkMajority();
      await pauseUnless(signal, REFRESH_MS);
    }
  }

  #checkMajority(): void {
    const failed = this.#processes.filter(({ phase }) => phase === "failed").length;
    const count = this.#processes.length;
    if (count - failed > count / 2) return;
    throw new CairnError(
      "SERVER_NO_LEADER",
      `cluster: ${failed} of ${count} nodes do not run; the rest is no majority`,
    );
  }

  async #stopAll(): Promise<void> {
    this.#screen.end();
    this.#screen.say("Stopping the nodes");
    const kill = (): void => {
      for (const process of this.#processes) process.kill();
    };
    this.#kill.addEventListener("abort", kill, { once: true });
    if (this.#kill.aborted) kill();
    await Promise.all(this.#processes.map((process) => process.stop()));
    for (const { log } of this.#processes) log.close();
    this.#screen.say(`Stopped. The data is in ${this.#options.dir}`);
  }
}
