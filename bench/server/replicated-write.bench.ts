/**
 * What does a replicated write cost, and how many are there a second?
 *
 * Three real processes on this machine, HTTP in front, SQLite behind; every acknowledged write is
 * synced on a majority. The peer is one raw write + fdatasync on the same disk, interleaved. All
 * processes and the client share the machine's cores, which a real cluster does not. Reads and
 * transactions are not measured.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { createCluster } from "../../test/support/cluster.ts";
import type { ProcessNode } from "../../test/support/processes.ts";
import type { Bench } from "../harness/index.ts";

/**
 * What is measured is the steady state. The compilers of three nodes share the cores with the work,
 * and the median goes on falling until about so many writes.
 */
const WARM_UP = 8000;
const ALONE = 200;
const RECORD_BYTES = 200;
/** Written before the timing, so that the raw peer does not pay for a growing file. */
const PREALLOCATED_BYTES = 4 * 1024 * 1024;

/** One connection-keeping client: posts a body, resolves with the answer's text. */
function createPoster(node: ProcessNode, sockets: number): (body: string) => Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  const { hostname, port } = new URL(node.url);
  const options = { agent, hostname, port, path: "/db/execute", method: "POST" };
  return (body) =>
    new Promise((resolve, reject) => {
      const call = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve(text));
      });
      call.on("error", reject);
      call.end(body);
    });
}

/**
 * A client that costs next to nothing, for the latency of the service: one connection, HTTP by
 * hand. One request at a time.
 */
async function createBarePoster(node: ProcessNode): Promise<(body: string) => Promise<string>> {
  const { hostname, port } = new URL(node.url);
  const socket = connect(Number(port), hostname);
  socket.setNoDelay(true);
  await new Promise((resolve) => socket.once("connect", resolve));
  let received = "";
  let answered: (text: string) => void = () => undefined;
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    received += chunk;
    const head = received.indexOf("\r\n\r\n") + 4;
    const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
    if (head < 4 || received.length < head + length) return;
    const text = received.slice(head);
    received = "";
    answered(text);
  });
  return (body) => {
    const answer = new Promise<string>((resolve) => {
      answered = resolve;
    });
    const head = `POST /db/execute HTTP/1.1\r\nHost: ${hostname}\r\n`;
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    return answer;
  };
}

async function openCluster(bench: Bench): Promise<ProcessNode> {
  const cluster = await createCluster({ dir: bench.directory(), stopAtTestEnd: false });
  bench.defer(() => cluster.stopAll());
  await cluster.startAll();
  const leader = await cluster.waitForLeader();
  await cluster.execute(leader, ["CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"]);
  return leader;
}

const insertOf = (value: string): string => JSON.stringify([["INSERT INTO t(v) VALUES(?)", value]]);

function checked(answer: string): string {
  if (!answer.includes('"last_insert_id"')) throw new Error(`write failed: ${answer}`);
  return answer;
}

/**
 * One client, one write after the other, against one raw fdatasync: at most six of them at the
 * median.
 */
export async function oneClientAgainstOneSync(bench: Bench): Promise<void> {
  const writes = bench.parameter("writes", { small: 100, canonical: 3000 });
  const warmUp = bench.parameter("warmUp", { small: 20, canonical: WARM_UP });
  const leader = await openCluster(bench);
  const post = await createBarePoster(leader);
  const file = openSync(join(bench.directory(), "raw"), "w");
  bench.defer(() => closeSync(file));
  writeSync(file, new Uint8Array(PREALLOCATED_BYTES));
  fdatasyncSync(file);
  const record = new Uint8Array(RECORD_BYTES).fill(1);
  for (let n = 0; n < warmUp; n += 1) checked(await post(insertOf(`warm ${n}`)));
  const replicated = bench.series("replicated write over HTTP, 1 client, 3 nodes");
  const raw = bench.series("write + fdatasync");
  for (let n = 0; n < writes; n += 1) {
    await replicated.measureAsync(async () => checked(await post(insertOf(`row ${n}`))));
    raw.measure(() => {
      writeSync(file, record, 0, RECORD_BYTES, (n * RECORD_BYTES) % PREALLOCATED_BYTES);
      fdatasyncSync(file);
    });
    bench.work(`row ${n}`);
  }
  bench.ratio(
    "replicated write at p50",
    { subject: replicated.microsecondsAt(50), peer: raw.microsecondsAt(50), peerName: raw.name },
    { atMost: 6 },
  );
}

/** Sixty-four clients in closed loops: acknowledged single-row writes a second. */
export async function sixtyFourClients(bench: Bench): Promise<void> {
  const writes = bench.parameter("writes", { small: 500, canonical: 30_000 });
  const clients = bench.parameter("clients", { small: 8, canonical: 64 });
  const warmUp = bench.parameter("warmUp", { small: 20, canonical: WARM_UP });
  const leader = await openCluster(bench);
  const post = createPoster(leader, clients);
  for (let n = 0; n < warmUp; n += 1) checked(await post(insertOf(`warm ${n}`)));
  const alone = bench.series("1 client");
  for (let n = 0; n < ALONE; n += 1) {
    await alone.measureAsync(async () => checked(await post(insertOf(`alone ${n}`))));
  }
  const together = bench.series(`${clients} clients`);
  let next = 0;
  const startedAt = bench.now();
  const loop = async (): Promise<void> => {
    while (next < writes) {
      const value = `row ${next}`;
      next += 1;
      await together.measureAsync(async () => checked(await post(insertOf(value))));
    }
  };
  await Promise.all(Array.from({ length: clients }, loop));
  const seconds = (bench.now() - startedAt) / 1e9;
  bench.work(`${writes}`);
  bench.figure("acknowledged writes", writes / seconds, "per second");
  bench.ratio("throughput against one client", {
    subject: writes / seconds,
    peer: 1e6 / alone.microsecondsAt(50),
    peerName: alone.name,
  });
}
