/**
 * HTTP Basic authentication: what an `Authorization` header says, by Go's rules.
 *
 * Invariant: a header that is not exactly what RFC 7617 describes names nobody; it is never taken
 * for half a name.
 */
import type { Credentials } from "../types.ts";

const SCHEME = /^basic /i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Who asks; undefined if the header is missing, of another scheme, or broken. */
export function basicCredentials(header: string | undefined): Credentials | undefined {
  if (header === undefined || !SCHEME.test(header)) return undefined;
  const encoded = header.slice("basic ".length);
  if (!BASE64.test(encoded)) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The header for these credentials. */
export function basicHeader({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}
