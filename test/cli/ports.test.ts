/**
 * Ports. Method: occupy real ports of this machine; plan a cluster around made-up ones.
 */
import { createServer, type Server } from "node:net";
import { describe, expect, test } from "vitest";
import { type ClusterDirectory, createPortPlan, isPortFree, planCluster, waitForPort } from "#cli";

const HOST = "127.0.0.1";

function occupy(): Promise<{ port: number; server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      if (address === null || typeof address === "string") reject(new Error("no port"));
      else resolve({ port: address.port, server });
    });
  });
}

describe("this machine", () => {
  test("a port that a process listens on is not free, and is again when it stops", async () => {
    const { port, server } = await occupy();
    expect(await isPortFree(HOST, port)).toBe(false);
    const waiting = waitForPort((one) => isPortFree(HOST, one), port, 10_000);
    server.close();
    expect(await waiting).toBe(true);
    expect(await isPortFree(HOST, port)).toBe(true);
  });

  test("waiting for a port has an end", async () => {
    expect(await waitForPort(async () => false, 4001, 0)).toBe(false);
  });
});

describe("a port plan", () => {
  const busy = (...ports: number[]) =>
    createPortPlan(async (port: number) => !ports.includes(port));

  test("takes the wanted port if it is free, else the next row's", async () => {
    expect(await busy().pick(4001)).toBe(4001);
    expect(await busy(4001).pick(4001)).toBe(4011);
    expect(await busy(4001, 4011).pick(4001)).toBe(4021);
  });

  test("gives no port twice, and none that is reserved", async () => {
    const plan = busy();
    plan.reserve(4011);
    expect([await plan.pick(4001), await plan.pick(4001)]).toEqual([4001, 4021]);
  });

  test("gives up after ten rows and at the end of all ports", async () => {
    expect(await createPortPlan(async () => false).pick(4001)).toBeUndefined();
    expect(await createPortPlan(async (port) => port > 65_535).pick(65_530)).toBeUndefined();
  });
});

describe("the plan of a cluster", () => {
  const directory = (remembered?: ClusterDirectory["remembered"]): ClusterDirectory => ({
    path: "data/cluster",
    remembered,
    remember: () => undefined,
    dataDir: (number) => `data/cluster/node${number}`,
    logPath: (number) => `data/cluster/node${number}.log`,
    close: () => undefined,
  });
  const options = { nodes: undefined, httpPort: 4001, raftPort: undefined };
  const outside = (...busy: number[]) => {
    const said: string[] = [];
    return {
      said,
      isFree: async (port: number) => !busy.includes(port),
      say: said.push.bind(said),
    };
  };

  test("three nodes in a row, each of which knows all Raft addresses", async () => {
    const { said, ...rest } = outside();
    const nodes = await planCluster(options, directory(), {
      ...rest,
      say: (text) => said.push(text),
    });
    expect(nodes.map(({ url }) => url)).toEqual(
      [4001, 4002, 4003].map((p) => `http://${HOST}:${p}`),
    );
    expect(nodes[1]?.flags).toEqual([
      ...["-node-id", "n2", "-http-addr", `${HOST}:4002`, "-raft-addr", `${HOST}:4102`],
      ...["-bootstrap-expect", "3", "-join", [4101, 4102, 4103].map((p) => `${HOST}:${p}`).join()],
      "data/cluster/node2",
    ]);
    expect(said).toEqual([]);
  });

  test("says in plain words that a port is in use and which one is taken instead", async () => {
    const around = outside(4001, 4102);
    const nodes = await planCluster(options, directory(), around);
    expect(nodes.map(({ url }) => url.slice(-4))).toEqual(["4011", "4002", "4003"]);
    expect(nodes.map(({ raftPort }) => raftPort)).toEqual([4101, 4112, 4103]);
    expect(around.said).toEqual([
      "port 4001 is in use, node n1 takes 4011 instead",
      "port 4102 is in use, node n2 takes 4112 instead",
    ]);
  });

  test("remembered Raft ports stay, and the number of nodes with them", async () => {
    const remembered = [4111, 4112, 4113].map((raftPort, index) => ({
      id: `n${index + 1}`,
      raftPort,
    }));
    const around = outside();
    const nodes = await planCluster({ ...options, raftPort: 5000 }, directory(remembered), around);
    expect(nodes.map(({ raftPort }) => raftPort)).toEqual([4111, 4112, 4113]);
    expect(around.said).toEqual([expect.stringContaining("--raft-port is ignored")]);
    await expect(
      planCluster({ ...options, nodes: 5 }, directory(remembered), around),
    ).rejects.toMatchObject({ code: "SERVER_CONFIG_INVALID" });
  });

  test("no free port at all is an error that names the flags", async () => {
    const none = { isFree: async () => false, say: () => undefined };
    await expect(planCluster(options, directory(), none)).rejects.toThrow(/--http-port/);
  });
});
