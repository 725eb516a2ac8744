/**
 * Leaders die with SIGKILL while clients take tokens out of pools, each command in a session and
 * sent again until it is answered.
 *
 * Method: real processes. A command removes whatever token comes first, so one that took effect
 * twice would show as a token too many, and one that was lost as a token too few. At the end every
 * node must hold the same pools, and answer the last command of each client as it was answered.
 */
import { expect, test } from "vitest";
import { type ProcessCluster, startCluster } from "../support/cluster.ts";
import { createHttpClient, type HttpAnswer, type HttpClient } from "../support/http-client.ts";
import { type ProcessNode, waitUntil } from "../support/processes.ts";

const CLIENTS = 6;
const TOKENS = 300;
const KILLS = 4;
/** Commands of each client between two kills, at least. */
const STRIDE = 12;

const b64 = (text: string): string => Buffer.from(text).toString("base64");

/** One client: a session, a pool, and what it was told. */
class Client {
  readonly #cluster: ProcessCluster;
  readonly #http: HttpClient = createHttpClient();
  readonly #pool: string;
  #session = 0;
  #node = 0;
  taken = 0;
  retries = 0;
  lastAnswer = "";

  constructor(cluster: ProcessCluster, number: number) {
    this.#cluster = cluster;
    this.#pool = `pool-${number}/`;
    this.#node = number;
  }

  async prepare(): Promise<void> {
    this.#session = JSON.parse((await this.#until("POST", "/kv/session")).text).session;
    for (let from = 0; from < TOKENS; from += 100) {
      const success = Array.from({ length: 100 }, (_, n) => ({
        put: { key: b64(`${this.#pool}${String(from + n).padStart(4, "0")}`), value: b64("token") },
      }));
      await this.#until("POST", "/kv/txn", { body: JSON.stringify({ success }) });
    }
  }

  /** Takes tokens until there are so many; each command is sent until it is answered. */
  async takeUntil(count: number): Promise<void> {
    while (this.taken < count) {
      const answer = await this.#take(this.taken + 1);
      expect(JSON.parse(answer).found, answer).toEqual([{ deleted: 1, more: true }]);
      this.lastAnswer = answer;
      this.taken += 1;
    }
  }

  /** The last command again: it must be answered as it was, and take nothing. */
  repeatLast(): Promise<string> {
    return this.#take(this.taken);
  }

  /** Tokens that are left on a node, whatever the others have. */
  async left(node: ProcessNode): Promise<number> {
    const query = `prefix=${encodeURIComponent(this.#pool)}&limit=1000&keys&level=none`;
    const answer = await this.#http.get(`${node.url}/kv/?${query}`);
    return JSON.parse(answer.text).entries.length;
  }

  close(): void {
    this.#http.close();
  }

  async #take(serial: number): Promise<string> {
    const success = [{ deleteRange: { prefix: b64(this.#pool), limit: 1 } }];
    const headers = { "cairn-session": `${this.#session}`, "cairn-serial": `${serial}` };
    return (await this.#until("POST", "/kv/txn", { headers, body: JSON.stringify({ success }) }))
      .text;
  }

  /** Sends to one node after the other until one answers that it is done. */
  async #until(
    method: string,
    path: string,
    options: { headers?: Record<string, string>; body?: string } = {},
  ): Promise<HttpAnswer> {
    const { nodes } = this.#cluster;
    return waitUntil(
      `an answer to ${method} ${path}`,
      async () => {
        const node = nodes[this.#node % nodes.length]!;
        try {
          const answer = await this.#http.send(method, `${node.url}${path}`, {
            ...options,
            timeoutMs: 3000,
          });
          if (answer.status === 200) return answer;
          // What is refused for good would be refused for ever.
          if (answer.status < 500) throw new RangeError(`${answer.status} ${answer.text}`);
        } catch (error) {
          if (error instanceof RangeError) throw error;
        }
        this.retries += 1;
        this.#node += 1;
        return undefined;
      },
      { timeoutMs: 120_000 },
    );
  }
}

test("a command in a session takes effect once, through dying leaders and a dead cluster", {
  timeout: 180_000,
}, async () => {
  const cluster = await startCluster();
  const clients = Array.from({ length: CLIENTS }, (_, n) => new Client(cluster, n));
  await Promise.all(clients.map((client) => client.prepare()));
  for (let round = 1; round <= KILLS; round += 1) {
    const working = Promise.all(clients.map((client) => client.takeUntil(round * STRIDE)));
    const leader = await cluster.waitForLeader();
    await leader.kill9();
    await working;
    await leader.start();
    await cluster.waitForApplied();
  }
  await cluster.killAll();
  await cluster.startAll();
  await cluster.waitForLeader();
  for (const client of clients) expect(await client.repeatLast()).toBe(client.lastAnswer);
  await cluster.waitForApplied();
  for (const client of clients) {
    for (const node of cluster.nodes) {
      expect(await client.left(node), node.id).toBe(TOKENS - KILLS * STRIDE);
    }
    client.close();
  }
  const retries = clients.reduce((sum, client) => sum + client.retries, 0);
  console.log(`${CLIENTS * KILLS * STRIDE} tokens taken, ${retries} commands sent again`);
  expect(retries).toBeGreaterThan(0);
});
