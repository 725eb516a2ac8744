/**
 * Decides who may do what (compat reference, 10.1).
 *
 * In this order: without an auth file everybody may do everything; what `*` may do, anybody may,
 * whatever password comes with it; else user and password must match and the user must have the
 * permission, or `all`. Invariant: a right is never inferred from an answer for another user,
 * another password or another permission.
 *
 * A hash is slow on purpose. So a password that was right is remembered, as a keyed digest whose
 * key lives only in this process, and some that were wrong are too. At most one hash is computed at
 * a time, on one of the threads that Node's pool has for the log's syncs as well.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { CairnError } from "#base";
import { nodeRandom } from "#platform";
import { readJsonFile } from "../text-file.ts";
import type { Credentials, Permission } from "../types.ts";
import { type HashedPassword, matchesHash } from "./password.ts";
import { EVERYBODY, readUsers, type User, type UserFile } from "./users.ts";

/** See the file's header. */
export interface Authorizer {
  /** No auth file: everybody may do everything, and nobody is asked who they are. */
  readonly isOpen: boolean;
  /**
   * Whether whoever has these credentials may do this.
   *
   * @throws `SERVER_AUTH_BUSY` when too many wait for a password to be checked.
   */
  allows(credentials: Credentials | undefined, permission: Permission): boolean | Promise<boolean>;
  /**
   * The credentials of a user, to speak to other nodes as.
   *
   * @throws `SERVER_CONFIG_INVALID` if the file does not hold the password itself.
   */
  credentialsOf(username: string): Credentials;
  /** What is probably a mistake in the file. */
  readonly warnings: readonly string[];
}

/** Checks that may wait for one slow hash after the other: some seconds' worth. */
const WAITING_MAX = 64;
/** Wrong passwords remembered: a client with an old password asks again and again. */
const WRONG_MAX = 1024;
const KEY_BYTES = 32;

/**
 * The authorizer of an auth file, or of none if `path` is empty. @throws `SERVER_CONFIG_INVALID`
 */
export function openAuthorizer(path: string): Authorizer {
  return path === "" ? OPEN : createAuthorizer(readUsers(readJsonFile(path), path));
}

/** The authorizer of users that were read. */
export function createAuthorizer(file: UserFile): Authorizer {
  return new FileAuthorizer(file);
}

const OPEN: Authorizer = {
  isOpen: true,
  allows: () => true,
  credentialsOf: (username) => refuse(`-join-as ${username}: there is no auth file`),
  warnings: [],
};

class FileAuthorizer implements Authorizer {
  readonly isOpen = false;
  readonly warnings: readonly string[];
  readonly #users: ReadonlyMap<string, User>;
  readonly #everybody: User | undefined;
  readonly #key = nodeRandom().bytes(KEY_BYTES);
  /** Digests of plain passwords, and of hashed ones once they were right. */
  readonly #right = new Map<string, Buffer>();
  readonly #wrong = new Set<string>();
  /** Checks under way, so that ten requests of one client cost one hash. */
  readonly #underWay = new Map<string, Promise<boolean>>();
  #last: Promise<unknown> = Promise.resolve();
  /** Whose hash is computed for a name that nobody has, so that names cannot be told by time. */
  readonly #decoy: HashedPassword | undefined;

  constructor({ users, warnings }: UserFile) {
    this.#users = users;
    this.warnings = warnings;
    this.#everybody = users.get(EVERYBODY);
    for (const { username, password } of users.values()) {
      if (typeof password === "string") {
        this.#right.set(username, this.#digest({ username, password }));
      } else this.#decoy ??= password;
    }
  }

  allows(credentials: Credentials | undefined, permission: Permission): boolean | Promise<boolean> {
    if (may(this.#everybody, permission)) return true;
    if (credentials === undefined || credentials.username === "") return false;
    const user = this.#users.get(credentials.username);
    const verdict = this.#authenticate(user, credentials);
    if (typeof verdict === "boolean") return verdict && may(user, permission);
    return verdict.then((isRight) => isRight && may(user, permission));
  }

  credentialsOf(username: string): Credentials {
    const password = this.#users.get(username)?.password;
    if (typeof password === "string") return { username, password };
    const why = this.#users.has(username) ? "has no plain password in" : "is not in";
    return refuse(`-join-as ${username}: this user ${why} the auth file of this node`);
  }

  #authenticate(user: User | undefined, credentials: Credentials): boolean | Promise<boolean> {
    const digest = this.#digest(credentials);
    const right = user === undefined ? undefined : this.#right.get(user.username);
    if (right !== undefined && timingSafeEqual(right, digest)) return true;
    const hashed = user === undefined ? this.#decoy : user.password;
    if (hashed === undefined || typeof hashed === "string") return false;
    const name = digest.toString("base64");
    if (this.#wrong.has(name)) return false;
    const underWay = this.#underWay.get(name);
    if (underWay !== undefined) return underWay;
    if (this.#underWay.size >= WAITING_MAX) {
      throw new CairnError("SERVER_AUTH_BUSY", "too many passwords are being checked");
    }
    const check = this.#last.then(() => matchesHash(credentials.password, hashed));
    const verdict = check.then((matches) => {
      const isRight = matches && user !== undefined;
      if (isRight) this.#right.set(user.username, digest);
      else this.#rememberWrong(name);
      return isRight;
    });
    const ended = (): void => {
      this.#underWay.delete(name);
    };
    this.#underWay.set(name, verdict);
    // The next one waits for this one, whatever became of it; its caller hears what it was.
    this.#last = verdict.then(ended, ended);
    return verdict;
  }

  #rememberWrong(name: string): void {
    this.#wrong.add(name);
    // A Set keeps the order of insertion: the oldest goes first.
    const [oldest] = this.#wrong;
    if (this.#wrong.size > WRONG_MAX && oldest !== undefined) this.#wrong.delete(oldest);
  }

  /** Of name and password together, so that no two users' digests can be mixed up. */
  #digest({ username, password }: Credentials): Buffer {
    const text = `${username.length}:${username}${password}`;
    return createHmac("sha256", this.#key).update(text, "utf8").digest();
  }
}

function may(user: User | undefined, permission: Permission): boolean {
  if (user === undefined) return false;
  return user.permissions.has("all") || user.permissions.has(permission);
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message);
}
