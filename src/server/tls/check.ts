/**
 * Looks at certificates before a node touches its data.
 *
 * Invariant: a node whose certificates cannot be used leaves everything as it was.
 */
import { openTlsFiles } from "#platform";
import type { NodeConfig } from "../node-config.ts";

/** @throws `NET_TLS_INVALID`, naming the files. */
export function checkTlsFiles({ httpTls, nodeTls }: NodeConfig): void {
  for (const tls of [httpTls, nodeTls]) if (tls !== undefined) openTlsFiles(tls).close();
}
