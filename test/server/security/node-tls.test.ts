/**
 * TLS between nodes, at the seam where streams are made. Method: a listener and a dialler with one
 * thing wrong at a time, over real sockets of this machine; what must not be talked to must not get
 * a byte through.
 */
import { writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createNodeSockets, openSocketTls, type SocketTls } from "#platform";
import type { Listener } from "#platform/types";
import {
  type Authority,
  type Certificate,
  createAuthority,
  createExpiredLeaf,
  createLeaf,
} from "../../support/certificates.ts";
import { atTestEnd, temporaryDir, waitUntil } from "../../support/processes.ts";

const CHECK_MS = 20;
const ours = createAuthority("ours");
const theirs = createAuthority("theirs");

interface Sided extends Partial<Omit<SocketTls, "files">> {
  readonly leaf?: Certificate;
  readonly trusts?: Authority;
}

interface Written {
  readonly tls: SocketTls;
  readonly notices: string[];
  replace(leaf: Certificate): void;
}

/** The files of one side, and TLS made of them. */
function sideOf({ leaf = createLeaf(ours), trusts = ours, ...checks }: Sided): Written {
  const dir = temporaryDir();
  const paths = {
    certificatePath: join(dir, "cert.pem"),
    keyPath: join(dir, "key.pem"),
    authorityPath: join(dir, "ca.pem"),
  };
  const replace = ({ certificate, key }: Certificate): void => {
    writeFileSync(paths.certificatePath, certificate);
    writeFileSync(paths.keyPath, key);
  };
  replace(leaf);
  writeFileSync(paths.authorityPath, trusts.certificate);
  const notices: string[] = [];
  const tls = openSocketTls(
    {
      ...paths,
      verifyClient: false,
      verifyCommonName: "",
      trustsAnyServer: false,
      verifyServerName: "",
      ...checks,
    },
    { checkMs: CHECK_MS, onNotice: (text) => notices.push(text) },
  );
  atTestEnd(() => tls.files.close());
  return { tls, notices, replace };
}

interface Echo {
  readonly listener: Listener;
  readonly refusals: string[];
  readonly heard: string[];
}

async function listenWith(tls: SocketTls | undefined): Promise<Echo> {
  const refusals: string[] = [];
  const heard: string[] = [];
  const sockets = createNodeSockets({ tls, onRefused: (_, reason) => refusals.push(reason) });
  const listener = await sockets.listen("127.0.0.1:0", (socket) => {
    socket.onData((chunk) => {
      heard.push(Buffer.from(chunk).toString());
      socket.write([Buffer.from("heard")]);
    });
  });
  atTestEnd(() => listener.close());
  return { listener, refusals, heard };
}

/** What came back, or why nothing did. */
function say(tls: SocketTls | undefined, address: string): Promise<string> {
  const socket = createNodeSockets({ tls }).connect(address);
  return new Promise((resolve) => {
    socket.onConnect(() => socket.write([Buffer.from("hello")]));
    socket.onData((chunk) => {
      resolve(Buffer.from(chunk).toString());
      socket.close();
    });
    socket.onClose((error) => resolve(error?.message ?? "closed"));
  });
}

test("nodes with certificates of one authority talk to each other", async () => {
  const { listener, heard } = await listenWith(sideOf({ verifyClient: true }).tls);
  expect(await say(sideOf({}).tls, listener.address)).toBe("heard");
  expect(heard).toEqual(["hello"]);
});

test.each<[string, Sided, Sided, RegExp]>([
  ["another authority", { leaf: createLeaf(theirs) }, {}, /unable to verify|self-signed|issuer/],
  ["an expired certificate", { leaf: createExpiredLeaf(ours) }, {}, /expired/],
  ["another name", { leaf: createLeaf(ours, { altNames: ["elsewhere"] }) }, {}, /altnames/i],
  ["a name only in its subject", { leaf: bare("127.0.0.1") }, {}, /no subject alternative names/],
  ["not the name that was asked for", {}, { verifyServerName: "db.local" }, /altnames/i],
])("a listener with %s is not talked to", async (_, listening, dialling, reason) => {
  const { listener, heard } = await listenWith(sideOf(listening).tls);
  expect(await say(sideOf(dialling).tls, listener.address)).toMatch(reason);
  expect(heard).toEqual([]);
});

/** A certificate without alternative names. */
function bare(commonName: string): Certificate {
  return createLeaf(ours, { commonName, altNames: [] });
}

test("the name that was asked for is looked for instead of the host", async () => {
  const leaf = createLeaf(ours, { altNames: ["db.local"] });
  const { listener } = await listenWith(sideOf({ leaf }).tls);
  const { tls } = sideOf({ verifyServerName: "db.local" });
  expect(await say(tls, listener.address)).toBe("heard");
});

test("a dialler that trusts anyone talks to a stranger with an expired certificate", async () => {
  const { listener } = await listenWith(sideOf({ leaf: createExpiredLeaf(theirs) }).tls);
  expect(await say(sideOf({ trustsAnyServer: true }).tls, listener.address)).toBe("heard");
});

test.each<[string, Sided, RegExp]>([
  ["another authority", { leaf: createLeaf(theirs) }, /certificate|UNABLE/i],
  ["an expired certificate", { leaf: createExpiredLeaf(ours) }, /expired/i],
  ["another common name", { leaf: createLeaf(ours, { commonName: "n2" }) }, /"n2"/],
  ["a longer common name", { leaf: createLeaf(ours, { commonName: "node1" }) }, /"node1"/],
])("who connects with %s gets no byte in", async (_, dialling, reason) => {
  const listening = { verifyClient: true, verifyCommonName: "node" };
  const { listener, heard, refusals } = await listenWith(sideOf(listening).tls);
  await say(sideOf(dialling).tls, listener.address);
  await waitUntil("a refusal", () => (refusals.length > 0 ? true : undefined));
  expect(refusals.join()).toMatch(reason);
  expect(heard).toEqual([]);
});

test("the common name that was asked for gets in", async () => {
  const listening = { verifyClient: true, verifyCommonName: "node" };
  const { listener } = await listenWith(sideOf(listening).tls);
  const dialling = { leaf: createLeaf(ours, { commonName: "node" }) };
  expect(await say(sideOf(dialling).tls, listener.address)).toBe("heard");
});

test("a plain connection to a TLS port gets no byte in", async () => {
  const { listener, heard, refusals } = await listenWith(sideOf({}).tls);
  expect(await say(undefined, listener.address)).not.toBe("heard");
  expect(heard).toEqual([]);
  expect(refusals).toHaveLength(1);
});

test("a TLS connection to a plain port ends with an error", async () => {
  const { listener } = await listenWith(undefined);
  expect(await say(sideOf({}).tls, listener.address)).toMatch(
    /wrong version|packet length|record/i,
  );
});

test("a peer that hangs up in the handshake hurts nobody", async () => {
  const { listener } = await listenWith(sideOf({}).tls);
  const port = Number(listener.address.split(":")[1]);
  const raw = connectPlain({ host: "127.0.0.1", port });
  await new Promise<void>((resolve) => {
    raw.on("connect", () => raw.destroy());
    raw.on("close", () => resolve());
  });
  expect(await say(sideOf({}).tls, listener.address)).toBe("heard");
});

test("a listener that is not trusted is told of once, and again after it was trusted", async () => {
  const side = sideOf({ leaf: createExpiredLeaf(ours) });
  const { listener } = await listenWith(side.tls);
  const reasons: string[] = [];
  const onUntrusted = (_: string, reason: string): void => {
    reasons.push(reason);
  };
  const sockets = createNodeSockets({ tls: sideOf({}).tls, onUntrusted });
  const dial = (address: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = sockets.connect(address);
      socket.onConnect(() => socket.close());
      socket.onClose(() => resolve());
    });
  for (let again = 0; again < 3; again += 1) await dial(listener.address);
  // Nobody there is another matter.
  await dial("127.0.0.1:1");
  expect(reasons).toEqual(["certificate has expired"]);
  side.replace(createLeaf(ours));
  const stranger = sideOf({}).tls;
  await waitUntil("trust", async () =>
    (await say(stranger, listener.address)) === "heard" ? true : undefined,
  );
  await dial(listener.address);
  side.replace(createExpiredLeaf(ours));
  await waitUntil("distrust", async () => {
    await dial(listener.address);
    return reasons.length > 1 ? true : undefined;
  });
  expect(reasons).toHaveLength(2);
});

test("a replaced certificate is used without a restart; a broken one is not", async () => {
  const side = sideOf({ leaf: createExpiredLeaf(ours) });
  const { listener } = await listenWith(side.tls);
  const { tls } = sideOf({});
  expect(await say(tls, listener.address)).toMatch(/expired/);
  side.replace(createLeaf(ours));
  await waitUntil("the new certificate", async () =>
    (await say(tls, listener.address)) === "heard" ? true : undefined,
  );
  // A certificate with the key of another one, as between the two steps of a renewal.
  side.replace({ certificate: createLeaf(ours).certificate, key: createLeaf(ours).key });
  await waitUntil("a complaint", () =>
    side.notices.some((text) => text.includes("in use stays")) ? true : undefined,
  );
  expect(await say(tls, listener.address)).toBe("heard");
});

test("files that cannot be used keep sockets from being made", () => {
  const certificate = createLeaf(ours);
  expect(() => sideOf({ leaf: { certificate: "nonsense", key: certificate.key } })).toThrow(
    expect.objectContaining({ code: "NET_TLS_INVALID" }),
  );
  const other = { certificate: certificate.certificate, key: createLeaf(ours).key };
  expect(() => sideOf({ leaf: other })).toThrow(/key values mismatch/);
});
