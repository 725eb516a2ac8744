/**
 * HTTPS and mutual TLS for clients (compat reference, 10.2). Method: the real listener with
 * certificates made here; clients with one thing wrong at a time.
 */
import { writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHttpServer } from "#server";
import {
  type Certificate,
  createAuthority,
  createExpiredLeaf,
  createLeaf,
} from "../../support/certificates.ts";
import { temporaryDir, waitUntil } from "../../support/processes.ts";
import { ask } from "../../support/raw-http.ts";
import { openSingleNode } from "../../support/single-node-service.ts";
import { type Door, openDoor } from "./door.ts";

const ours = createAuthority("ours");
const theirs = createAuthority("theirs");

interface SecureDoor extends Door {
  replace(leaf: Certificate): void;
}

/** A door with TLS. */
async function openSecureDoor(
  checks: { readonly verifyClient?: boolean; readonly verifyCommonName?: string } = {},
  leaf: Certificate = createLeaf(ours),
): Promise<SecureDoor> {
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
  writeFileSync(paths.authorityPath, ours.certificate);
  const httpTls = { ...paths, verifyClient: false, verifyCommonName: "", ...checks };
  return { ...(await openDoor({ config: { httpTls } })), replace };
}

/** Status of a request, or why there is none. */
function reach(door: Door, options: RequestOptions = {}): Promise<string> {
  const [host, port] = door.address.split(":");
  return new Promise((resolve) => {
    const usual = { host, port: Number(port), path: "/readyz", ca: ours.certificate, agent: false };
    const sent = request({ ...usual, ...options }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    sent.on("error", (error) => resolve(error.message));
    sent.end();
  });
}

const shown = ({ certificate, key }: Certificate): RequestOptions => ({ cert: certificate, key });

test("HTTPS answers who trusts its authority, and only on TLS", async () => {
  const door = await openSecureDoor();
  expect(await reach(door)).toBe("200");
  expect(await reach(door, { ca: theirs.certificate })).toMatch(/certificate/);
  await expect(ask(door.address, "/readyz")).rejects.toThrow();
  expect(door.node.reads).toEqual([]);
});

test.each([
  ["TLSv1.1", /version|protocol|cipher|no protocols/i],
  ["TLSv1", /version|protocol|cipher|no protocols/i],
] as const)("%s is too old", async (maxVersion, reason) => {
  const door = await openSecureDoor();
  const options = { maxVersion, minVersion: maxVersion, ciphers: "DEFAULT@SECLEVEL=0" } as const;
  expect(await reach(door, options)).toMatch(reason);
});

test.each(["TLSv1.2", "TLSv1.3"] as const)("%s is spoken", async (version) => {
  const door = await openSecureDoor();
  expect(await reach(door, { maxVersion: version, minVersion: version })).toBe("200");
});

test.each<[string, RequestOptions]>([
  ["none", {}],
  ["one of another authority", shown(createLeaf(theirs))],
  ["an expired one", shown(createExpiredLeaf(ours))],
])("with mutual TLS a client with no good certificate (%s) reaches nothing", async (_, options) => {
  const door = await openSecureDoor({ verifyClient: true });
  expect(await reach(door, options)).not.toBe("200");
  expect(door.notices.join()).toMatch(/refused: certificate refused/);
  expect(await reach(door, shown(createLeaf(ours)))).toBe("200");
});

test("without mutual TLS a certificate of anybody does no harm", async () => {
  const door = await openSecureDoor();
  expect(await reach(door, shown(createLeaf(theirs)))).toBe("200");
});

test("the common name is compared exactly", async () => {
  const door = await openSecureDoor({ verifyClient: true, verifyCommonName: "app" });
  for (const commonName of ["App", "app2", "my app", "", "app\0"]) {
    const leaf = createLeaf(ours, { commonName, altNames: ["app"] });
    expect(await reach(door, shown(leaf))).not.toBe("200");
  }
  expect(await reach(door, shown(createLeaf(ours, { commonName: "app" })))).toBe("200");
});

test("a session that is taken up again is checked again", async () => {
  const door = await openSecureDoor({ verifyClient: true, verifyCommonName: "app" });
  const leaf = createLeaf(ours, { commonName: "other" });
  for (let again = 0; again < 3; again += 1) {
    expect(await reach(door, { ...shown(leaf), maxVersion: "TLSv1.2" })).not.toBe("200");
  }
});

test("a replaced certificate is used without a restart, while connections go on", async () => {
  const door = await openSecureDoor({}, createExpiredLeaf(ours));
  expect(await reach(door)).toMatch(/expired/);
  door.replace(createLeaf(ours));
  await waitUntil("the new certificate", async () =>
    (await reach(door)) === "200" ? true : undefined,
  );
  expect(door.notices.join()).toMatch(/was replaced and is used from now on/);
});

test("a certificate that cannot be used keeps the listener from opening", async () => {
  const node = openSingleNode({
    httpTls: {
      certificatePath: "/nowhere/cert.pem",
      keyPath: "/nowhere/key.pem",
      authorityPath: "",
      verifyClient: false,
      verifyCommonName: "",
    },
  });
  await expect(openHttpServer(node.service)).rejects.toMatchObject({ code: "NET_TLS_INVALID" });
  node.close();
});
