/**
 * A listener with users, for the tests beside it: the real handlers over the real database, behind
 * the real door.
 */
import {
  type Authorizer,
  basicHeader,
  createAuthorizer,
  type HttpServer,
  openHttpServer,
  readUsers,
} from "#server";
import type { NodeConfig } from "#server/types";
import { atTestEnd } from "../../support/processes.ts";
import { openSingleNode, type SingleNode } from "../../support/single-node-service.ts";

/** An entry of an auth file. */
export interface UserEntry {
  readonly username: string;
  readonly password?: string;
  readonly perms: readonly string[];
}

/** A node that listens. */
export interface Door {
  readonly node: SingleNode;
  readonly address: string;
  /** Errors that were our own fault. */
  readonly faults: unknown[];
  readonly notices: string[];
  close(): Promise<void>;
}

/** The authorizer of these users; of nobody in particular, if there are none. */
export function usersOf(...entries: readonly UserEntry[]): Authorizer {
  return createAuthorizer(readUsers(entries, "users.json"));
}

/** The header with which a user asks. */
export function as(username: string, password: string): Record<string, string> {
  return { authorization: basicHeader({ username, password }) };
}

/** Opens a node behind a door; closed when the test ends, or, from a hook, by the caller. */
export async function openDoor(
  options: { readonly authorizer?: Authorizer; readonly config?: Partial<NodeConfig> } = {},
): Promise<Door> {
  const node = openSingleNode(options.config);
  const faults: unknown[] = [];
  const notices: string[] = [];
  const server: HttpServer = await openHttpServer(node.service, {
    onFault: (error) => faults.push(error),
    onNotice: (text) => notices.push(text),
    closeMs: 100,
    ...(options.authorizer === undefined ? {} : { authorizer: options.authorizer }),
  });
  const close = async (): Promise<void> => {
    await server.close();
    node.close();
  };
  atTestEnd(close);
  return { node, address: server.address, faults, notices, close };
}
