/**
 * The auth file: users, passwords, permissions (compat reference, 10.1).
 *
 * `[{"username": "bob", "password": "secret1", "perms": ["all"]}, …]`; the user `*` stands for
 * everybody. Invariant: an entry has what is written in it and nothing else. The reference lets an
 * entry that omits its password or its permissions have those of the entry before; here such a
 * file is refused, because nobody can have meant it.
 */
import { CairnError } from "#base";
import type { Permission } from "../types.ts";
import { type HashedPassword, isHashed, parseHash } from "./password.ts";

/** Everybody, known or not. */
export const EVERYBODY = "*";

/** Every permission of the reference. */
export const PERMISSIONS: readonly Permission[] = [
  "all",
  "execute",
  "query",
  "backup",
  "load",
  "snapshot",
  "status",
  "ready",
  "leader-ops",
  "remove",
  "ui",
  "join",
  "join-read-only",
  "join-read-replica",
];

/** One user. */
export interface User {
  readonly username: string;
  /** Undefined: nobody can log in as this user. */
  readonly password: string | HashedPassword | undefined;
  readonly permissions: ReadonlySet<string>;
}

/** A file that was read. */
export interface UserFile {
  /** By name; of two entries with one name the last counts, as in the reference. */
  readonly users: ReadonlyMap<string, User>;
  /** What is probably a mistake in it. */
  readonly warnings: readonly string[];
}

/** A bcrypt hash, which the reference took until v8.12 and now takes for a plain password. */
const BCRYPT = /^\$2[abxy]\$\d\d\$/;

/**
 * Reads the parsed JSON of an auth file.
 *
 * @param path - for messages.
 * @throws `SERVER_CONFIG_INVALID`, naming the entry; never showing a password.
 */
export function readUsers(json: unknown, path: string): UserFile {
  if (!Array.isArray(json)) return refuse(`${path}: must be an array of users`);
  const users = new Map<string, User>();
  const warnings: string[] = [];
  for (const [index, entry] of json.entries()) {
    const place = `${path}: entry ${index + 1}`;
    const user = readUser(entry, place);
    users.set(user.username, user);
    for (const permission of user.permissions) {
      if (PERMISSIONS.some((known) => known === permission)) continue;
      warnings.push(`${place}: ${JSON.stringify(permission)} is no permission`);
    }
    if (typeof user.password === "string" && BCRYPT.test(user.password)) {
      warnings.push(`${place}: bcrypt is not supported; this is taken for the password itself`);
    }
  }
  return { users, warnings };
}

function readUser(entry: unknown, place: string): User {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return refuse(`${place}: must be an object with username, password and perms`);
  }
  const { username, password, perms } = entry as Record<string, unknown>;
  if (typeof username !== "string" || username === "") {
    return refuse(`${place}: username must be a text that is not empty`);
  }
  if (!Array.isArray(perms) || !perms.every((name) => typeof name === "string")) {
    return refuse(`${place}: perms must be an array of texts; write [] for none`);
  }
  const permissions: ReadonlySet<string> = new Set(perms);
  // What everybody may do takes no password.
  if (password === undefined && username === EVERYBODY) {
    return { username, password: undefined, permissions };
  }
  if (typeof password !== "string") return refuse(`${place}: password must be a text`);
  return { username, password: readPassword(password, place), permissions };
}

function readPassword(stored: string, place: string): string | HashedPassword {
  if (!isHashed(stored)) return stored;
  try {
    return parseHash(stored);
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    return refuse(`${place}: password: ${error.message}`);
  }
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message);
}
