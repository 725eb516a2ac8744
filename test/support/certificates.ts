/**
 * Certificates for tests: an authority, and leaves that it has signed, good or bad in one respect.
 *
 * X.509 version 3 in DER, written by hand: a few dozen lines, and no test depends on a program that
 * a machine may lack. Invariant: keys are P-256, and every certificate is what OpenSSL would accept
 * unless a test asked for something wrong.
 */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { isIPv4 } from "node:net";

/** A certificate with its key, in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Somebody who signs. */
export interface Authority extends Certificate {
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** What a leaf shall say. */
export interface LeafOptions {
  readonly commonName?: string;
  /** DNS names and IPv4 addresses. Default `localhost` and `127.0.0.1`. */
  readonly altNames?: readonly string[];
  /** Default: from yesterday until in a year. */
  readonly from?: Date;
  readonly before?: Date;
}

const DAY_MS = 24 * 3_600_000;
const YEAR_MS = 365 * DAY_MS;

/* ---- DER ---- */

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const size = body.length;
  if (size < 0x80) return Buffer.concat([Buffer.from([tag, size]), body]);
  const bytes = size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), body]);
}

const sequence = (...contents: readonly Uint8Array[]): Buffer => der(0x30, ...contents);
const set = (content: Uint8Array): Buffer => der(0x31, content);
const integer = (bytes: Uint8Array): Buffer => der(0x02, bytes);
const bitString = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes);
const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
const TRUE = der(0x01, Buffer.from([0xff]));

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const digits = [number & 0x7f];
    for (let left = number >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

const time = (date: Date): Buffer => {
  const text = `${date.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return der(0x18, Buffer.from(text, "ascii"));
};

const nameOf = (commonName: string): Buffer =>
  sequence(set(sequence(identifier("2.5.4.3"), der(0x0c, Buffer.from(commonName, "utf8")))));

const ECDSA_SHA256 = sequence(identifier("1.2.840.10045.4.3.2"));

/* ---- certificates ---- */

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(identifier(id), ...(critical ? [TRUE] : []), octets(value));
}

function altName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split(".").map(Number)));
  return der(0x82, Buffer.from(name, "ascii"));
}

let serial = 1;

function issue(options: {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: { readonly name: string; readonly privateKey: KeyObject };
  readonly from: Date;
  readonly before: Date;
  readonly extensions: readonly Buffer[];
}): string {
  const { subject, publicKey, issuer, from, before, extensions } = options;
  const number = Buffer.alloc(4);
  number.writeUInt32BE(serial);
  serial += 1;
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), number])),
    ECDSA_SHA256,
    nameOf(issuer.name),
    sequence(time(from), time(before)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, issuer.privateKey);
  const whole = sequence(body, ECDSA_SHA256, bitString(signature));
  const lines = whole
    .toString("base64")
    .match(/.{1,64}/g)
    ?.join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

const newKeys = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync("ec", { namedCurve: "P-256" });

const pemOf = (key: KeyObject): string =>
  key.export({ type: "pkcs8", format: "pem" }).toString("ascii");

/** An authority that has signed itself. */
export function createAuthority(name = "Cairn test authority"): Authority {
  const { publicKey, privateKey } = newKeys();
  const certificate = issue({
    subject: name,
    publicKey,
    issuer: { name, privateKey },
    from: new Date(Date.now() - DAY_MS),
    before: new Date(Date.now() + YEAR_MS),
    extensions: [extension("2.5.29.19", true, sequence(TRUE))],
  });
  return { name, privateKey, certificate, key: pemOf(privateKey) };
}

/** A certificate that the authority has signed, for both ends of a connection. */
export function createLeaf(authority: Authority, options: LeafOptions = {}): Certificate {
  const { commonName = "cairn", altNames = ["localhost", "127.0.0.1"] } = options;
  const { from = new Date(Date.now() - DAY_MS), before = new Date(Date.now() + YEAR_MS) } = options;
  const { publicKey, privateKey } = newKeys();
  const usage = sequence(identifier("1.3.6.1.5.5.7.3.1"), identifier("1.3.6.1.5.5.7.3.2"));
  const extensions = [extension("2.5.29.37", false, usage)];
  if (altNames.length > 0) {
    extensions.push(extension("2.5.29.17", false, sequence(...altNames.map(altName))));
  }
  const certificate = issue({
    subject: commonName,
    publicKey,
    issuer: authority,
    from,
    before,
    extensions,
  });
  return { certificate, key: pemOf(privateKey) };
}

/** A leaf that was good until an hour ago. */
export function createExpiredLeaf(authority: Authority, options: LeafOptions = {}): Certificate {
  return createLeaf(authority, { ...options, before: new Date(Date.now() - DAY_MS / 24) });
}
