/**
 * `cairnd hash-password`: from a password to what may stand in an auth file.
 *
 * Reads one line of standard input, so that the password is in no list of processes and in no
 * history; a terminal does not show it. Invariant: nothing but the hash goes to standard output.
 */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { hashPassword } from "#server";

/** Reads a password and prints its hash. @returns the exit code. */
export async function hashPasswordCommand(): Promise<number> {
  const password = await readPassword();
  if (password === undefined || password === "") {
    console.error("cairnd: hash-password: give the password as one line on standard input");
    return 1;
  }
  console.log(await hashPassword(password));
  return 0;
}

/** The first line; undefined if there is none. */
async function readPassword(): Promise<string | undefined> {
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) process.stderr.write("Password: ");
  // A terminal shows what is written here while somebody types: nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: isTerminal });
  const line = await new Promise<string | undefined>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(undefined));
  });
  lines.close();
  if (isTerminal) process.stderr.write("\n");
  return line;
}
