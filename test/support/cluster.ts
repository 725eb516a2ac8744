/**
 * A cluster of real processes: what most end-to-end tests start from.
 *
 * Invariant: what `startCluster` returns has a leader, and is stopped when the test ends.
 */
import { join } from "node:path";
import { createHttpClient, type HttpClient } from "./http-client.ts";
import {
  atTestEnd,
  createProcessNode,
  freePort,
  type NodeState,
  type ProcessNode,
  removeDir,
  tail,
  temporaryDir,
  waitUntil,
} from "./processes.ts";

/** An answer of the SQL endpoints, as parsed JSON. Integers above 2^53 lose digits. */
export interface SqlAnswer {
  readonly results: readonly SqlResult[];
  readonly error?: string;
  readonly raft_index?: number;
}

/** One entry of the answer. */
export interface SqlResult {
  readonly columns?: readonly string[];
  readonly types?: readonly string[];
  readonly values?: readonly (readonly unknown[])[];
  readonly last_insert_id?: number;
  readonly rows_affected?: number;
  readonly error?: string;
}

/** A statement: SQL alone, or SQL and parameters. */
export type SqlStatement = string | readonly unknown[];

/** What a cluster is made of. */
export interface ClusterOptions {
  /** Default 3. */
  readonly nodes?: number;
  /** Default: a fresh one that is removed at the end. */
  readonly dir?: string;
  /** For every node, in front of the data directory. */
  readonly extraFlags?: readonly string[];
  /** Kill it when the running test ends. Default true; from `beforeAll` say false, and stop it. */
  readonly stopAtTestEnd?: boolean;
}

/** Nodes that know each other. */
export interface ProcessCluster {
  readonly nodes: readonly ProcessNode[];
  readonly dir: string;
  readonly http: HttpClient;
  /** The leader of the highest term; rejects at once when there is none. */
  leader(): Promise<ProcessNode>;
  /** Waits for a leader that the majority follows; `not`: for another one than this. */
  waitForLeader(options?: {
    readonly not?: ProcessNode;
    readonly timeoutMs?: number;
  }): Promise<ProcessNode>;
  /** Waits until every running node has applied what the leader has committed, or `index`. */
  waitForApplied(options?: {
    readonly index?: number;
    readonly timeoutMs?: number;
  }): Promise<number>;
  /** POST /db/execute. Rejects unless the status is 200; errors of statements are in the answer. */
  execute(
    node: ProcessNode,
    statements: readonly SqlStatement[],
    parameters?: string,
  ): Promise<SqlAnswer>;
  /** POST /db/query. Level weak if not named. */
  query(
    node: ProcessNode,
    statements: string | readonly SqlStatement[],
    options?: { readonly level?: string; readonly parameters?: string },
  ): Promise<SqlAnswer>;
  /** Rows of one SELECT on one node; level none if not named. Rejects when it fails. */
  rows(node: ProcessNode, sql: string, level?: string): Promise<readonly (readonly unknown[])[]>;
  /** Makes one more node, which joins those that are there when it is started. Not running yet. */
  addNode(extraFlags?: readonly string[]): Promise<ProcessNode>;
  /** Leaves a node out of account from now on; stops it if it runs. */
  dropNode(node: ProcessNode): Promise<void>;
  /** SIGKILL to all nodes at once. */
  killAll(): Promise<void>;
  /** Starts all that do not run, and waits until they answer. */
  startAll(): Promise<void>;
  /**
   * SIGTERM to all, SIGKILL to those that take too long. Then the cluster is gone, and so is its
   * directory, unless it was given one.
   */
  stopAll(): Promise<void>;
}

const STOP_MS_MAX = 10_000;

class Cluster implements ProcessCluster {
  readonly dir: string;
  readonly http: HttpClient = createHttpClient();
  readonly #ownsDir: boolean;
  readonly #extraFlags: readonly string[];
  #nodes: readonly ProcessNode[];
  #made: number;

  constructor(
    nodes: readonly ProcessNode[],
    dir: { readonly path: string; readonly own: boolean },
    extraFlags: readonly string[],
  ) {
    this.dir = dir.path;
    this.#ownsDir = dir.own;
    this.#extraFlags = extraFlags;
    this.#nodes = nodes;
    this.#made = nodes.length;
  }

  get nodes(): readonly ProcessNode[] {
    return this.#nodes;
  }

  async addNode(extraFlags: readonly string[] = []): Promise<ProcessNode> {
    this.#made += 1;
    const peers = this.#nodes.map(({ raftAddress }) => raftAddress).join(",");
    const node = createProcessNode({
      httpPort: await freePort(),
      raftPort: await freePort(),
      id: `n${this.#made}`,
      dataDir: join(this.dir, `node${this.#made}`),
      logPath: join(this.dir, `node${this.#made}.log`),
      flags: ["-join", peers, "-join-interval", "500ms", ...this.#extraFlags, ...extraFlags],
    });
    this.#nodes = [...this.#nodes, node];
    return node;
  }

  async dropNode(node: ProcessNode): Promise<void> {
    this.#nodes = this.#nodes.filter((other) => other !== node);
    await node.kill9();
  }

  async leader(): Promise<ProcessNode> {
    const leader = leaderOf(await this.#states());
    if (leader === undefined) throw new Error(`no leader\n${await this.#describe()}`);
    return leader;
  }

  waitForLeader(
    options: { readonly not?: ProcessNode; readonly timeoutMs?: number } = {},
  ): Promise<ProcessNode> {
    return this.#wait("a leader that the majority follows", options, async () => {
      const states = await this.#states();
      const leader = leaderOf(states);
      if (leader === undefined || leader === options.not) return undefined;
      const following = states.filter(
        ({ state }) => state?.leaderAddress === leader.raftAddress,
      ).length;
      return following > this.nodes.length / 2 ? leader : undefined;
    });
  }

  waitForApplied(
    options: { readonly index?: number; readonly timeoutMs?: number } = {},
  ): Promise<number> {
    return this.#wait("everything applied on all running nodes", options, async () => {
      const states = await this.#states();
      const leader = leaderOf(states);
      const target = options.index ?? states.find(({ node }) => node === leader)?.state?.commit;
      if (target === undefined) return undefined;
      const running = states.filter(({ node }) => node.pid !== undefined);
      return running.every(({ state }) => (state?.applied ?? -1) >= target) ? target : undefined;
    });
  }

  execute(
    node: ProcessNode,
    statements: readonly SqlStatement[],
    parameters = "",
  ): Promise<SqlAnswer> {
    return this.#post(`${node.url}/db/execute?${parameters}`, statements);
  }

  query(
    node: ProcessNode,
    statements: string | readonly SqlStatement[],
    options: { readonly level?: string; readonly parameters?: string } = {},
  ): Promise<SqlAnswer> {
    const { level = "weak", parameters = "" } = options;
    const list = typeof statements === "string" ? [statements] : statements;
    return this.#post(`${node.url}/db/query?level=${level}&${parameters}`, list);
  }

  async rows(
    node: ProcessNode,
    sql: string,
    level = "none",
  ): Promise<readonly (readonly unknown[])[]> {
    const { results, error } = await this.query(node, sql, { level });
    const failure = error ?? results[0]?.error;
    if (failure !== undefined) throw new Error(`${node.id}: ${sql}: ${failure}`);
    return results[0]?.values ?? [];
  }

  async killAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill9()));
  }

  async startAll(): Promise<void> {
    const down = this.nodes.filter(({ pid }) => pid === undefined);
    await Promise.all(down.map((node) => node.start()));
  }

  async stopAll(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node) => {
        const limit = setTimeout(() => void node.kill9(), STOP_MS_MAX);
        await node.terminate();
        clearTimeout(limit);
      }),
    );
    this.http.close();
    if (this.#ownsDir) removeDir(this.dir);
  }

  async #post(url: string, statements: readonly unknown[]): Promise<SqlAnswer> {
    const { status, text } = await this.http.post(url, statements);
    if (status !== 200) throw new Error(`${url}: status ${status}: ${text}`);
    return JSON.parse(text) as SqlAnswer;
  }

  #states(): Promise<readonly StateOfNode[]> {
    return Promise.all(this.nodes.map(async (node) => ({ node, state: await node.state() })));
  }

  #wait<T>(
    what: string,
    { timeoutMs }: { readonly timeoutMs?: number },
    probe: () => Promise<T | undefined>,
  ): Promise<T> {
    const describe = (): Promise<string> => this.#describe();
    return waitUntil(what, probe, { describe, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }

  async #describe(): Promise<string> {
    const states = await this.#states();
    const lines = states.map(({ node, state }) => `${node.id}: ${JSON.stringify(state)}`);
    return [...lines, ...this.nodes.map(tail)].join("\n");
  }
}

interface StateOfNode {
  readonly node: ProcessNode;
  readonly state: NodeState | undefined;
}

/** An old leader may not know yet that there is a new one: the highest term is right. */
function leaderOf(states: readonly StateOfNode[]): ProcessNode | undefined {
  return states
    .filter(({ state }) => state?.role === "Leader")
    .sort((a, b) => (b.state?.term ?? 0) - (a.state?.term ?? 0))[0]?.node;
}

/** Makes the nodes of a cluster; nothing runs yet. */
export async function createCluster(options: ClusterOptions = {}): Promise<ProcessCluster> {
  const { nodes: count = 3, extraFlags = [], stopAtTestEnd = true } = options;
  const dir = options.dir ?? temporaryDir();
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const ports: { httpPort: number; raftPort: number }[] = [];
  for (const _ of numbers) ports.push({ httpPort: await freePort(), raftPort: await freePort() });
  const peers = ports.map(({ raftPort }) => `127.0.0.1:${raftPort}`).join(",");
  const nodes = ports.map((port, index) =>
    createProcessNode({
      ...port,
      id: `n${index + 1}`,
      dataDir: join(dir, `node${index + 1}`),
      logPath: join(dir, `node${index + 1}.log`),
      flags: ["-bootstrap-expect", String(count), "-join", peers, ...extraFlags],
    }),
  );
  const place = { path: dir, own: options.dir === undefined };
  const cluster = new Cluster(nodes, place, extraFlags);
  const cleanUp = async (): Promise<void> => {
    await cluster.killAll();
    cluster.http.close();
  };
  if (stopAtTestEnd) atTestEnd(cleanUp);
  return cluster;
}

/**
 * Makes and starts a cluster, and waits for its leader.
 *
 * From `beforeAll`, it runs until `stopAll`, or until the test process ends.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<ProcessCluster> {
  const cluster = await createCluster(options);
  await cluster.startAll();
  await cluster.waitForLeader();
  return cluster;
}
