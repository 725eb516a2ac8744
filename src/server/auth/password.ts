/**
 * Passwords as an auth file holds them: plain, as in the reference, or hashed with scrypt.
 *
 * | part | example                  | meaning                                              |
 * | ---- | ------------------------ | ---------------------------------------------------- |
 * | kind | `$scrypt`                | what begins so is a hash and never a plain password   |
 * | cost | `$ln=15,r=8,p=3`         | N = 2^ln, block size, lanes                           |
 * | salt | `$c2l4dGVlbiBieXRlcyE`   | base64 without padding                                |
 * | hash | `$…`                     | 32 bytes, base64 without padding                      |
 *
 * This is the PHC string format, which other programs write and read too.
 * Invariant: nothing here compares secrets in a time that depends on where they differ.
 */
import { scrypt, timingSafeEqual } from "node:crypto";
import { type Bytes, CairnError } from "#base";
import { nodeRandom } from "#platform";

/** Cost of one hash. */
export interface ScryptCost {
  readonly logN: number;
  readonly blockSize: number;
  readonly lanes: number;
}

/** A hashed password. */
export interface HashedPassword extends ScryptCost {
  readonly salt: Bytes;
  readonly hash: Bytes;
}

/** What OWASP names for servers that cannot spare more than 32 MiB a login. */
export const SCRYPT_COST: ScryptCost = { logN: 15, blockSize: 8, lanes: 3 };

const HASH_BYTES = 32;
const SALT_BYTES = 16;
const HASH_BYTES_MIN = 16;
/** scrypt takes 128 * N * r bytes; a file must not be able to take the memory of the node. */
const SCRYPT_MEMORY_MAX = 256 * 1024 * 1024;
const SCRYPT_BLOCK_BYTES = 128;
const LANES_MAX = 16;
const HASHED_PREFIX = "$scrypt$";

/** Whether a stored password is a hash rather than the password itself. */
export function isHashed(stored: string): boolean {
  return stored.startsWith(HASHED_PREFIX);
}

/** Makes the line for an auth file. */
export async function hashPassword(
  password: string,
  cost: ScryptCost = SCRYPT_COST,
): Promise<string> {
  const salt = nodeRandom().bytes(SALT_BYTES);
  const hash = await derive(password, { ...cost, salt, hash: new Uint8Array(HASH_BYTES) });
  const { logN, blockSize, lanes } = cost;
  const parameters = `ln=${logN},r=${blockSize},p=${lanes}`;
  return `${HASHED_PREFIX}${parameters}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Reads a hash.
 *
 * @throws `SERVER_CONFIG_INVALID`; the message holds nothing of the hash.
 */
export function parseHash(stored: string): HashedPassword {
  const parts = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([\w+/]+)\$([\w+/]+)$/.exec(
    stored,
  );
  if (parts === null) return refuse("a hash must be $scrypt$ln=…,r=…,p=…$salt$hash");
  const [, logN, blockSize, lanes, salt = "", hash = ""] = parts;
  const hashed: HashedPassword = {
    logN: Number(logN),
    blockSize: Number(blockSize),
    lanes: Number(lanes),
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
  if (hashed.logN < 1 || hashed.blockSize < 1 || hashed.lanes < 1 || hashed.lanes > LANES_MAX) {
    return refuse(`a hash must have ln and r of 1 or more, and p of 1 to ${LANES_MAX}`);
  }
  if (memoryBytes(hashed) > SCRYPT_MEMORY_MAX) {
    return refuse(`a hash must not need more than ${SCRYPT_MEMORY_MAX} bytes of memory`);
  }
  if (hashed.hash.length < HASH_BYTES_MIN) return refuse("a hash must have 16 bytes or more");
  return hashed;
}

/** Whether a password is the one that was hashed. Runs on a thread of Node's pool. */
export async function matchesHash(password: string, hashed: HashedPassword): Promise<boolean> {
  return timingSafeEqual(await derive(password, hashed), hashed.hash);
}

function derive(password: string, hashed: HashedPassword): Promise<Bytes> {
  const { logN, blockSize, lanes, salt, hash } = hashed;
  // Twice what scrypt needs by its formula: the library counts its own buffers too.
  const maxmem = 2 * memoryBytes(hashed);
  const options = { N: 2 ** logN, r: blockSize, p: lanes, maxmem };
  return new Promise((resolve, reject) => {
    scrypt(Buffer.from(password, "utf8"), salt, hash.length, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function memoryBytes({ logN, blockSize, lanes }: ScryptCost): number {
  return SCRYPT_BLOCK_BYTES * blockSize * (2 ** logN + lanes);
}

function base64(bytes: Bytes): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message);
}
