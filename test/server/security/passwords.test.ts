/**
 * Passwords, the auth file and what other nodes may ask. Method: files right and wrong; hashes made
 * here and checked here; counting what is asked of the hash by its cost in answers, not in time.
 */
import { scryptSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  authorizeCall,
  basicCredentials,
  hashPassword,
  isHashed,
  openAuthorizer,
  readUsers,
} from "#server";
import { temporaryDir } from "../../support/processes.ts";
import { usersOf } from "./door.ts";

/** Cheap, since these tests ask what is right and not what is slow. */
const COST = { logN: 4, blockSize: 8, lanes: 1 };
const bob = { username: "bob", password: "secret1" };
const denied = { code: "SERVER_UNAUTHORIZED" };

function fileWith(content: unknown): string {
  const path = join(temporaryDir(), "auth.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

test("a hash is what scrypt makes of the password, with a salt of its own", async () => {
  const [one, other] = [await hashPassword("pässword", COST), await hashPassword("pässword", COST)];
  expect(isHashed(one)).toBe(true);
  expect(one).not.toBe(other);
  const [, , parameters, salt = "", hash] = one.split("$");
  expect(parameters).toBe("ln=4,r=8,p=1");
  const made = scryptSync("pässword", Buffer.from(salt, "base64"), 32, { N: 16, r: 8, p: 1 });
  expect(hash).toBe(made.toString("base64").replace(/=+$/, ""));
});

test("the usual cost is the one that the documents name", async () => {
  expect(await hashPassword("x")).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
});

test("hashed and plain passwords stand beside each other", async () => {
  const authorizer = usersOf(
    { username: "bob", password: await hashPassword("secret1", COST), perms: ["query"] },
    { username: "amy", password: "secret1", perms: ["execute"] },
  );
  for (let again = 0; again < 3; again += 1) {
    expect(await authorizer.allows(bob, "query")).toBe(true);
    expect(await authorizer.allows(bob, "execute")).toBe(false);
    expect(await authorizer.allows({ ...bob, password: "secret2" }, "query")).toBe(false);
    expect(await authorizer.allows({ ...bob, username: "amy" }, "query")).toBe(false);
    expect(await authorizer.allows({ ...bob, username: "amy" }, "execute")).toBe(true);
    expect(await authorizer.allows({ ...bob, username: "eve" }, "query")).toBe(false);
    // The hash itself opens nothing.
    const stolen = { username: "bob", password: await hashPassword("secret1", COST) };
    expect(await authorizer.allows(stolen, "query")).toBe(false);
  }
});

test("many requests at once with one right password all get in", async () => {
  const password = await hashPassword("secret1", COST);
  const authorizer = usersOf({ username: "bob", password, perms: ["all"] });
  const answers = Array.from({ length: 500 }, () => authorizer.allows(bob, "query"));
  expect(new Set(await Promise.all(answers))).toEqual(new Set([true]));
});

test("a password that was right is known again while others are being tried", async () => {
  const password = await hashPassword("secret1", COST);
  const authorizer = usersOf({ username: "bob", password, perms: ["all"] });
  expect(await authorizer.allows(bob, "query")).toBe(true);
  const guesses: (boolean | Promise<boolean>)[] = [];
  let busy = 0;
  for (let n = 0; n < 200; n += 1) {
    try {
      guesses.push(authorizer.allows({ ...bob, password: `guess ${n}` }, "query"));
    } catch (error) {
      expect(error).toMatchObject({ code: "SERVER_AUTH_BUSY" });
      busy += 1;
    }
  }
  expect(busy).toBe(200 - 64);
  // Not a promise: nothing was computed.
  expect(authorizer.allows(bob, "query")).toBe(true);
  expect(new Set(await Promise.all(guesses))).toEqual(new Set([false]));
  // Known to be wrong by now, without another hash.
  expect(authorizer.allows({ ...bob, password: "guess 0" }, "query")).toBe(false);
});

test("no auth file: everybody may do everything", () => {
  const authorizer = openAuthorizer("");
  expect(authorizer.isOpen).toBe(true);
  expect(authorizer.allows(undefined, "all")).toBe(true);
});

test("the file of the reference's documents is read as it is", () => {
  const authorizer = openAuthorizer(
    fileWith([
      { username: "bob", password: "secret1", perms: ["all"] },
      { username: "*", perms: ["status", "ready"] },
    ]),
  );
  expect(authorizer.allows(bob, "remove")).toBe(true);
  expect(authorizer.allows(undefined, "ready")).toBe(true);
  expect(authorizer.allows(undefined, "remove")).toBe(false);
  expect(authorizer.credentialsOf("bob")).toEqual(bob);
});

test("of two entries with one name the last counts, password and permissions", () => {
  const authorizer = usersOf(
    { username: "bob", password: "old", perms: ["all"] },
    { username: "bob", password: "secret1", perms: ["query"] },
  );
  expect(authorizer.allows(bob, "query")).toBe(true);
  expect(authorizer.allows(bob, "execute")).toBe(false);
  expect(authorizer.allows({ ...bob, password: "old" }, "query")).toBe(false);
});

test.each<[string, unknown, RegExp]>([
  ["no JSON", "{", /not JSON/],
  ["no array", { username: "x" }, /must be an array of users/],
  ["no object", ["bob"], /entry 1: must be an object/],
  ["no name", [{ password: "x", perms: [] }], /entry 1: username/],
  ["an empty name", [{ username: "", password: "x", perms: [] }], /entry 1: username/],
  // The reference would give these the rights or the password of the entry before.
  ["no permissions", [{ username: "a", password: "x" }], /entry 1: perms.*write \[\] for none/],
  ["no password", [{ username: "a", perms: ["all"] }], /entry 1: password must be a text/],
  ["a number", [{ username: "a", password: 5, perms: [] }], /password must be a text/],
  ["one text", [{ username: "a", password: "x", perms: "all" }], /perms must be an array/],
  ["a broken hash", [{ username: "a", password: "$scrypt$x", perms: [] }], /a hash must be/],
  [
    "a hash that takes all memory",
    [{ username: "a", password: `$scrypt$ln=30,r=8,p=1$AAAA$${"A".repeat(43)}`, perms: [] }],
    /must not need more than/,
  ],
  [
    "a hash that is too short",
    [{ username: "a", password: "$scrypt$ln=4,r=8,p=1$AAAA$AAAA", perms: [] }],
    /16 bytes or more/,
  ],
])("a file with %s is refused, without a word of a password", (_, content, message) => {
  const path = fileWith(content);
  expect(() => openAuthorizer(path)).toThrow(message);
  expect(() => openAuthorizer(path)).toThrow(
    expect.objectContaining({ code: "SERVER_CONFIG_INVALID" }),
  );
});

test("what is probably a mistake is told: unknown permissions, hashes of another kind", () => {
  const { warnings } = readUsers(
    [
      { username: "a", password: "$2b$10$abcdefghijklmnopqrstuv", perms: ["exectue"] },
      { username: "b", password: "x", perms: ["execute"] },
    ],
    "users.json",
  );
  expect(warnings).toEqual([
    'users.json: entry 1: "exectue" is no permission',
    "users.json: entry 1: bcrypt is not supported; this is taken for the password itself",
  ]);
});

test("a node joins only as a user whose password its own file holds", async () => {
  const password = await hashPassword("x", COST);
  const authorizer = usersOf({ username: "bob", password, perms: ["join"] });
  expect(() => authorizer.credentialsOf("bob")).toThrow(/has no plain password/);
  expect(() => authorizer.credentialsOf("eve")).toThrow(/is not in/);
  expect(() => openAuthorizer("").credentialsOf("bob")).toThrow(/no auth file/);
});

test.each<[string, readonly string[], readonly string[]]>([
  ["execute", ["execute"], ["query", "join", "load"]],
  ["query", ["query"], ["execute"]],
  ["request", ["query", "execute"], ["query"]],
  ["backup", ["backup"], ["load"]],
  ["backupChunk", ["backup"], ["query"]],
  ["load", ["load"], ["execute"]],
  ["remove", ["remove"], ["join"]],
  ["stepDown", ["leader-ops"], ["remove"]],
  ["compare", ["status"], ["query"]],
  ["kvExecute", ["execute"], ["query"]],
  ["kvQuery", ["query"], ["execute"]],
  ["notify", ["join"], ["join-read-only"]],
  ["join", ["join"], ["join-read-only", "join-read-replica"]],
  ["joinNonVoter", ["join-read-only"], ["execute"]],
  ["joinNonVoter", ["join-read-replica"], ["status"]],
  ["joinNonVoter", ["join"], []],
  ["whatever comes next", ["all"], ["execute", "join", "leader-ops"]],
  ["toString", ["all"], ["execute"]],
])("the call %s of another node needs %j", async (method, perms, others) => {
  const may = usersOf({ ...bob, perms });
  await expect(authorizeCall(may, method, bob)).resolves.toBeUndefined();
  await expect(authorizeCall(may, method, undefined)).rejects.toMatchObject(denied);
  const wrong = { ...bob, password: "x" };
  await expect(authorizeCall(may, method, wrong)).rejects.toMatchObject(denied);
  const mayNot = usersOf({ ...bob, perms: others });
  await expect(authorizeCall(mayNot, method, bob)).rejects.toMatchObject(denied);
});

test("who a node is may be asked by anybody", async () => {
  await expect(authorizeCall(usersOf(), "info", undefined)).resolves.toBeUndefined();
});

test("a header that is not exactly Basic names nobody", () => {
  expect(basicCredentials("Basic Ym9iOnNlY3JldDE=")).toEqual(bob);
  for (const header of [undefined, "", "Basic", "Basic ", "Basic !", "Basic Ym9i", "Digest x"]) {
    expect(basicCredentials(header)).toBeUndefined();
  }
});
