/**
 * What another node may ask of this one, and as whom (compat reference, 3.4 and 6.1).
 *
 * A forwarded request carries the credentials of whoever sent it, and is checked here once more, by
 * this node's own file. Invariant: a call that is not in the table needs `all`, so that a call that
 * somebody adds and forgets here is shut rather than open.
 */
import { CairnError } from "#base";
import type { Credentials, Permission } from "../types.ts";
import type { Authorizer } from "./authorizer.ts";

interface CallRow {
  /** Each inner list: one of these. All lists must hold. */
  readonly needs: readonly (readonly Permission[])[];
  /** The reference's words for a refusal. */
  readonly refusal: string;
}

const needs = (refusal: string, ...permissions: readonly Permission[]): CallRow => ({
  needs: permissions.map((permission) => [permission]),
  refusal: `remote ${refusal} not authorized`,
});

const CALLS: Readonly<Record<string, CallRow>> = {
  // Who this is and which version it has is no secret among those that reach the port.
  info: needs("info"),
  execute: needs("Execute", "execute"),
  query: needs("query", "query"),
  kvExecute: needs("key-value command", "execute"),
  kvQuery: needs("key-value read", "query"),
  request: needs("Request", "query", "execute"),
  backup: needs("backup", "backup"),
  backupChunk: needs("backup", "backup"),
  load: needs("load", "load"),
  loadFile: needs("load", "load"),
  remove: needs("remove node", "remove"),
  stepDown: needs("stepdown", "leader-ops"),
  compare: needs("comparison", "status"),
  notify: needs("notify", "join"),
  join: needs("join", "join"),
  joinNonVoter: {
    needs: [["join-read-only", "join-read-replica", "join"]],
    refusal: "remote join not authorized",
  },
};

const OTHER: CallRow = needs("call", "all");

/**
 * Refuses a call that its sender may not make.
 *
 * @throws `SERVER_UNAUTHORIZED`, with the reference's text; `SERVER_AUTH_BUSY`
 */
export async function authorizeCall(
  authorizer: Authorizer,
  method: string,
  credentials: Credentials | undefined,
): Promise<void> {
  if (authorizer.isOpen) return;
  const row = Object.hasOwn(CALLS, method) ? (CALLS[method] ?? OTHER) : OTHER;
  for (const alternatives of row.needs) {
    let isAllowed = false;
    for (const permission of alternatives) {
      isAllowed ||= await authorizer.allows(credentials, permission);
    }
    if (!isAllowed) throw new CairnError("SERVER_UNAUTHORIZED", row.refusal);
  }
}

/** Credentials as the head of a call has them; undefined unless both halves are texts. */
export function credentialsIn(head: Readonly<Record<string, unknown>>): Credentials | undefined {
  const found = head["credentials"];
  if (typeof found !== "object" || found === null) return undefined;
  const { username, password } = found as Record<string, unknown>;
  if (typeof username !== "string" || typeof password !== "string") return undefined;
  return { username, password };
}
