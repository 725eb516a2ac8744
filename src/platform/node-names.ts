/**
 * Names of the network: addresses of hosts and places of services, from the system's resolver.
 *
 * Invariant: a name that nobody knows is an error that names it, never an empty list.
 */
import { lookup, resolveSrv } from "node:dns/promises";
import { CairnError } from "#base";
import { systemText } from "./system-error.ts";

/** Where a service is. */
export interface ServicePlace {
  readonly host: string;
  readonly port: number;
}

/** A resolver. */
export interface Names {
  /** The IP addresses of a host, as the system finds them, also in its hosts file. */
  addresses(host: string): Promise<readonly string[]>;
  /** The places of a service: SRV records of `name`. @throws `NET_NAME_UNKNOWN` */
  services(name: string): Promise<readonly ServicePlace[]>;
}

/** The resolver of this machine. Both methods throw `NET_NAME_UNKNOWN`. */
export function createNodeNames(): Names {
  return {
    async addresses(host) {
      const found = await told(host, () => lookup(host, { all: true }));
      return found.map(({ address }) => address);
    },
    async services(name) {
      const found = await told(name, () => resolveSrv(name));
      return found.map((record) => ({ host: record.name, port: record.port }));
    },
  };
}

async function told<T>(name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new CairnError("NET_NAME_UNKNOWN", `platform: name ${name}: ${systemText(error)}`, {
      cause: error,
      details: { name },
    });
  }
}
