/**
 * The door of the HTTP API: who asks, and whether they may (compat reference, 1.1 and 10.1).
 *
 * Invariant: every permission of a route is asked for, and a route without a list of permissions
 * does not exist: the table of routes decides, not the handler.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Credentials, Permission } from "../types.ts";
import type { Authorizer } from "./authorizer.ts";
import { basicCredentials } from "./basic.ts";

/** What a request comes to. */
export interface Admission {
  readonly isAllowed: boolean;
  /** Who asks, for the leader to check again; undefined if the request does not say. */
  readonly credentials: Credentials | undefined;
}

/**
 * Whether a request may go on: it needs all of `permissions`.
 *
 * @throws `SERVER_AUTH_BUSY`
 */
export async function authorize(
  authorizer: Authorizer,
  headers: IncomingHttpHeaders,
  permissions: readonly Permission[],
): Promise<Admission> {
  // The header travels with a forwarded request also from a node that has no auth file of its own:
  // the leader may have one.
  const credentials = basicCredentials(headers.authorization);
  if (authorizer.isOpen) return { isAllowed: true, credentials };
  for (const permission of permissions) {
    if (!(await authorizer.allows(credentials, permission))) {
      return { isAllowed: false, credentials };
    }
  }
  return { isAllowed: true, credentials };
}

/** Headers that every answer of a node with an auth file carries, also a 200. */
export function challengeHeaders(authorizer: Authorizer): Readonly<Record<string, string>> {
  if (authorizer.isOpen) return {};
  return {
    "www-authenticate": 'Basic realm="rqlite"',
    "access-control-allow-headers": "Content-Type, Authorization",
    "access-control-allow-credentials": "true",
  };
}
