/**
 * Who may come in, as whom this node goes out, and how it finds others: all that is known of them
 * before the node has touched its data.
 *
 * Invariant: what cannot be used (an auth file, a certificate, a user to join as, settings of a
 * discovery) keeps the node from starting, and leaves everything as it was.
 */
import { openTlsFiles } from "#platform";
import { type Authorizer, openAuthorizer } from "./auth/authorizer.ts";
import { createDiscovery } from "./discovery/create.ts";
import type { Discovery } from "./discovery/types.ts";
import type { NodeConfig } from "./node-config.ts";
import type { Credentials } from "./types.ts";

/** See the file's header. */
export interface Access {
  readonly authorizer: Authorizer;
  /** As whom this node speaks to others for itself (`-join-as`); undefined: as nobody. */
  readonly credentials: Credentials | undefined;
  /** Undefined: others are named by `-join`, or there are none. */
  readonly discovery: Discovery | undefined;
}

/**
 * Reads the files that the configuration names.
 *
 * @throws `SERVER_CONFIG_INVALID`, `NET_TLS_INVALID`
 */
export function openAccess(config: NodeConfig, onNotice: (text: string) => void): Access {
  const { httpTls, nodeTls } = config;
  for (const tls of [httpTls, nodeTls]) if (tls !== undefined) openTlsFiles(tls).close();
  const authorizer = openAuthorizer(config.authPath);
  for (const warning of authorizer.warnings) onNotice(warning);
  const { joinAs } = config;
  return {
    authorizer,
    credentials: joinAs === "" ? undefined : authorizer.credentialsOf(joinAs),
    discovery: createDiscovery({ config }),
  };
}
