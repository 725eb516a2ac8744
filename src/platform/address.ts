/**
 * Addresses as text: `host:port`, where an IPv6 host stands in brackets, `[::1]:80`.
 *
 * Invariant: what `parseAddress` takes apart, `formatAddress` puts together again.
 */
import { CairnError } from "#base";

/** Ports are 16-bit numbers. */
const PORT_MAX = 65535;

/** The two halves of an address; the host without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Takes an address apart. The host is not looked up.
 *
 * @throws `NET_ADDRESS_INVALID`, naming the address.
 */
export function parseAddress(address: string): Address {
  const match = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= PORT_MAX)) {
    throw new CairnError(
      "NET_ADDRESS_INVALID",
      `platform: address ${JSON.stringify(address)}: must be host:port or [ipv6]:port`,
      { details: { address } },
    );
  }
  return { host, port };
}

/** Puts an address together. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
