/**
 * Discovery through Consul and etcd, and through DNS, piece by piece. Method: stand-in servers on
 * this machine that speak the stores' APIs, and break them one way at a time; a resolver that knows
 * what the test says.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Names } from "#platform";
import { createDiscovery, type Discovery, readInvocation } from "#server";
import { createAuthority, createLeaf } from "../../support/certificates.ts";
import { temporaryDir } from "../../support/processes.ts";
import { openConsul, openEtcd, type StandIn } from "./stand-ins.ts";

const ONE = { id: "1", apiUrl: "http://h1:4001", address: "h1:4002" };
const TWO = { id: "2", apiUrl: "http://h2:4001", address: "h2:4002" };
const failed = expect.objectContaining({ code: "SERVER_DISCOVERY_FAILED" });

interface Asked {
  readonly mode: string;
  readonly settings?: object | string;
  readonly environment?: Record<string, string>;
  readonly flags?: readonly string[];
  readonly names?: Names;
}

/** The discovery that these flags make. */
function discover({ mode, settings = {}, environment = {}, flags = [], names }: Asked): Discovery {
  const json = typeof settings === "string" ? settings : JSON.stringify(settings);
  const expected = mode.startsWith("dns") ? ["-bootstrap-expect", "3"] : [];
  const argv = ["-disco-mode", mode, "-disco-config", json, ...expected, ...flags, "data"];
  const invocation = readInvocation(argv, environment);
  if (invocation.kind !== "run") throw new Error(`expected a run, got ${invocation.kind}`);
  const options = names === undefined ? {} : { names };
  const discovery = createDiscovery({ config: invocation.config, ...options });
  if (discovery === undefined) throw new Error("no discovery");
  return discovery;
}

const STORES = [
  {
    mode: "consul-kv",
    open: openConsul,
    settingsOf: ({ address }: StandIn) => ({ address }),
    key: "rqlite/leader",
  },
  {
    mode: "etcd-kv",
    open: openEtcd,
    settingsOf: ({ address }: StandIn) => ({ endpoints: [address] }),
    key: "/rqlite/leader",
  },
] as const;

describe.each(STORES)("$mode", ({ mode, open, settingsOf, key }) => {
  test("who comes first claims the key; who comes later finds the first", async () => {
    const store = await open();
    const discovery = discover({ mode, settings: settingsOf(store) });
    expect(discovery.hasFounder).toBe(true);
    expect(await discovery.find()).toEqual([]);
    expect(await discovery.claim(ONE)).toBe(true);
    expect(await discovery.claim(TWO)).toBe(false);
    expect(await discovery.find()).toEqual(["h1:4002"]);
    const value = JSON.stringify({ id: "1", api_addr: "http://h1:4001", addr: "h1:4002" });
    expect([...store.values]).toEqual([[key, value]]);
  });

  test("of many that claim at once, exactly one may found the cluster", async () => {
    const store = await open();
    const claims = Array.from({ length: 20 }, (_, n) =>
      discover({ mode, settings: settingsOf(store) }).claim({ ...ONE, id: String(n) }),
    );
    expect((await Promise.all(claims)).filter((isFounder) => isFounder)).toHaveLength(1);
  });

  test("a new leader overwrites the old one", async () => {
    const store = await open();
    const discovery = discover({ mode, settings: settingsOf(store) });
    await discovery.claim(ONE);
    await discovery.report(TWO);
    expect(await discovery.find()).toEqual(["h2:4002"]);
  });

  test("two clusters under two prefixes do not see each other", async () => {
    const store = await open();
    const settings = settingsOf(store);
    await discover({ mode, settings, flags: ["-disco-key", "a/b"] }).claim(ONE);
    expect(await discover({ mode, settings, flags: ["-disco-key", "c d"] }).find()).toEqual([]);
    expect([...store.values.keys()]).toEqual([key.replace("rqlite", "a/b")]);
  });

  test.each(["refuse", "nonsense", "hang-up"] as const)(
    "a store that answers with %s is an error, never an empty store",
    async (failure) => {
      const store = await open();
      const discovery = discover({ mode, settings: settingsOf(store) });
      store.failure = failure;
      await expect(discovery.find()).rejects.toThrow(failed);
      await expect(discovery.claim(ONE)).rejects.toThrow(failed);
      await expect(discovery.report(ONE)).rejects.toThrow(failed);
      store.failure = undefined;
      expect(await discovery.claim(ONE)).toBe(true);
    },
  );

  test.each(["", "[]", "{}", '{"id":"1"}', '{"id":1,"addr":"h:1"}', "h1:4002"])(
    "a key that holds %j is an error, and cannot be claimed",
    async (value) => {
      const store = await open();
      store.values.set(key, value);
      const discovery = discover({ mode, settings: settingsOf(store) });
      await expect(discovery.find()).rejects.toThrow(failed);
      expect(await discovery.claim(ONE)).toBe(false);
    },
  );

  test("nobody at the address is an error that names it", async () => {
    const store = await open();
    const discovery = discover({
      mode,
      settings: settingsOf({ ...store, address: "127.0.0.1:1" }),
    });
    await expect(discovery.find()).rejects.toThrow(/127\.0\.0\.1:1/);
  });

  test("status tells the intervals in nanoseconds and the last contact", async () => {
    const store = await open();
    const discovery = discover({ mode, settings: settingsOf(store) });
    const never = discovery.status();
    expect(never).toEqual({
      mode,
      register_interval: 3_000_000_000,
      report_interval: 10_000_000_000,
      last_contact: "0001-01-01T00:00:00Z",
    });
    await discovery.find();
    expect(discovery.status()["last_contact"]).toMatch(/^20\d\d-/);
  });
});

describe("consul-kv", () => {
  test("token, login, datacenter, namespace and partition travel with each request", async () => {
    const store = await openConsul({ token: "secret" });
    const settings = {
      address: store.address,
      token: "$CONSUL_TOKEN",
      datacenter: "dc1",
      namespace: "n",
      partition: "p",
    };
    const environment = { CONSUL_TOKEN: "secret" };
    expect(await discover({ mode: "consul-kv", settings, environment }).claim(ONE)).toBe(true);
    expect(store.asked).toEqual(["PUT /v1/kv/rqlite/leader?dc=dc1&ns=n&partition=p&cas=0"]);
    const wrong = discover({ mode: "consul-kv", settings: { ...settings, token: "other" } });
    const refusal = await wrong.find().catch((error: Error) => error.message);
    expect(refusal).toMatch(/status 403: rpc error: Permission denied/);
    expect(refusal).not.toContain("other");
  });

  test("the token may stand in a file", async () => {
    const store = await openConsul({ token: "secret" });
    const file = join(temporaryDir(), "token");
    writeFileSync(file, "secret\n");
    const settings = { address: store.address, token_file: file };
    expect(await discover({ mode: "consul-kv", settings }).claim(ONE)).toBe(true);
  });

  test("over TLS its certificate is checked, by authority and by name", async () => {
    const authority = createAuthority();
    const leaf = createLeaf(authority, { altNames: ["consul.local"] });
    const store = await openConsul({ tls: { cert: leaf.certificate, key: leaf.key } });
    const tls_config = { ca_pem: authority.certificate, address: "consul.local" };
    const settings = { address: store.address, scheme: "https", tls_config };
    expect(await discover({ mode: "consul-kv", settings }).find()).toEqual([]);
    for (const tls of [{}, { ca_pem: authority.certificate }]) {
      const doubtful = discover({ mode: "consul-kv", settings: { ...settings, tls_config: tls } });
      await expect(doubtful.find()).rejects.toThrow(failed);
    }
    const careless = { ...settings, tls_config: { insecure_skip_verify: true } };
    expect(await discover({ mode: "consul-kv", settings: careless }).find()).toEqual([]);
  });
});

describe("etcd-kv", () => {
  test("a login is made once, and again when its token has expired", async () => {
    const login = { name: "root", password: "pw" };
    const store = await openEtcd({ login });
    const settings = { endpoints: [store.address], username: "root", password: "pw" };
    const discovery = discover({ mode: "etcd-kv", settings });
    await discovery.find();
    await discovery.find();
    expect(store.asked.filter((path) => path.includes("authenticate"))).toHaveLength(1);
    const wrong = discover({ mode: "etcd-kv", settings: { ...settings, password: "no" } });
    await expect(wrong.find()).rejects.toThrow(/login refused/);
  });

  test("endpoints are asked in turn until one answers", async () => {
    const store = await openEtcd();
    const settings = { endpoints: ["127.0.0.1:1", `http://${store.address}`] };
    expect(await discover({ mode: "etcd-kv", settings }).claim(ONE)).toBe(true);
  });

  test("a store that takes a request and never answers is given up", async () => {
    const store = await openEtcd();
    const settings = { endpoints: [store.address], "dial-timeout": 50_000_000 };
    store.failure = "hang";
    await expect(discover({ mode: "etcd-kv", settings }).find()).rejects.toThrow(/no answer in 50/);
  });
});

describe("DNS", () => {
  const names: Names = {
    async addresses(host) {
      const known: Record<string, readonly string[]> = {
        rqlite: ["10.0.0.1", "10.0.0.2", "fd00::1"],
        a: ["10.0.0.1"],
        b: ["10.0.0.2"],
      };
      return known[host] ?? Promise.reject(new Error(`unknown host ${host}`));
    },
    async services(name) {
      if (name !== "_raft._tcp.db.local") throw new Error(`unknown service ${name}`);
      return [
        { host: "a", port: 5002 },
        { host: "b", port: 6002 },
        { host: "a", port: 5002 },
      ];
    },
  };

  test("every address of a host, with this node's own port unless another is named", async () => {
    const usual = discover({ mode: "dns", settings: "", names });
    expect(await usual.find()).toEqual(["10.0.0.1:4002", "10.0.0.2:4002", "[fd00::1]:4002"]);
    const other = discover({ mode: "dns", settings: { name: "a", port: 7 }, names });
    expect(await other.find()).toEqual(["10.0.0.1:7"]);
    expect(other.status()).toMatchObject({
      mode: "dns",
      name: "a",
      port: 7,
      last_addresses: ["10.0.0.1:7"],
    });
  });

  test("every place of a service, each once, with its own port", async () => {
    const settings = { name: "db.local", service: "raft" };
    const discovery = discover({ mode: "dns-srv", settings, names });
    expect(await discovery.find()).toEqual(["10.0.0.1:5002", "10.0.0.2:6002"]);
    expect(discovery.status()).toMatchObject({
      mode: "dns-srv",
      name: "db.local",
      service: "raft",
      "dns_name:": "_raft._tcp.db.local",
    });
  });

  test("DNS never lets anybody found a cluster alone", async () => {
    const discovery = discover({ mode: "dns", names });
    expect(discovery.hasFounder).toBe(false);
    expect(await discovery.claim(ONE)).toBe(false);
  });

  test("a name that nobody knows is an error, told in status until it is known", async () => {
    const discovery = discover({ mode: "dns", settings: { name: "nowhere" }, names });
    await expect(discovery.find()).rejects.toThrow(failed);
    expect(discovery.status()).toMatchObject({ last_error: "unknown host nowhere" });
  });

  test("a variable names the hosts for tests, as in the reference", async () => {
    const environment = { RQLITE_DISCO_DNS_HOSTS: "h1:1,h2:2" };
    expect(await discover({ mode: "dns", names, environment }).find()).toEqual(["h1:1", "h2:2"]);
  });

  test("the machine's own resolver knows localhost", async () => {
    const discovery = discover({ mode: "dns", settings: { name: "localhost", port: 1 } });
    expect(await discovery.find()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|\[::1\]):1$/)]),
    );
  });
});

describe("settings", () => {
  test("may be a file, and take variables without breaking the JSON around them", async () => {
    const file = join(temporaryDir(), "disco.json");
    writeFileSync(file, '{"name": "$' + '{HOST}", "port": 9}');
    const environment = { HOST: 'a"b' };
    const discovery = discover({ mode: "dns", settings: file, environment });
    expect(discovery.status()).toMatchObject({ name: 'a"b', port: 9 });
  });

  test.each([
    ["consul-kv", "{", /not JSON/],
    ["consul-kv", "/nowhere/disco.json", /nowhere/],
    ["consul-kv", '{"address": 5}', /address must be a text/],
    ["consul-kv", '{"basic_auth": "x"}', /basic_auth must be an object/],
    ["etcd-kv", '{"endpoints": "h:1"}', /endpoints must be an array of texts/],
    ["etcd-kv", '{"endpoints": ["http://[bad"]}', /is no endpoint/],
    ["dns", '{"port": "9"}', /port must be a number/],
  ])("%s refuses %s", (mode, settings, message) => {
    expect(() => discover({ mode, settings })).toThrow(message);
  });
});
