/**
 * Starts a child process that meets TypeScript, in its entry or in a reader's module, as
 * `thread-bootstrap.mjs` does for threads: registers tsx and then imports the real entry, which is
 * the first argument.
 */
import { argv } from "node:process";
import { register } from "tsx/esm/api";

register();
await import(argv[2]);
