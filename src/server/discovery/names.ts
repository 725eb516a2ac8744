/**
 * Discovery by DNS: a name with many addresses, or a service with many places.
 *
 * Asked again each round, because nodes come one by one. Invariant: DNS never says who founds the
 * cluster; `-bootstrap-expect` does.
 */
import { CairnError, errorText } from "#base";
import type { Names } from "#platform";
import { joinAddress } from "../address.ts";
import type { Fields } from "./settings.ts";
import type { Discovery } from "./types.ts";

const NAME = "rqlite";

/** Mode `dns`. @param hosts - addresses that are answered instead of asking, for tests. */
export function createHostDiscovery(
  names: Names,
  settings: Fields,
  { port: ownPort, hosts }: { readonly port: number; readonly hosts: readonly string[] },
): Discovery {
  const name = settings.text("name", NAME);
  const port = settings.number("port", ownPort);
  return createNameDiscovery("dns", { name, port }, async () => {
    if (hosts.length > 0) return hosts;
    return (await names.addresses(name)).map((address) => joinAddress(address, port));
  });
}

/** Mode `dns-srv`. */
export function createServiceDiscovery(names: Names, settings: Fields): Discovery {
  const name = settings.text("name", NAME);
  const service = settings.text("service", NAME);
  const record = `_${service}._tcp.${name}`;
  // The colon in the key is the reference's.
  const facts = { name, service, "dns_name:": record };
  return createNameDiscovery("dns-srv", facts, async () => {
    const places = await names.services(record);
    const found = await Promise.all(
      places.map(async ({ host, port }) =>
        (await names.addresses(host)).map((address) => joinAddress(address, port)),
      ),
    );
    return found.flat();
  });
}

function createNameDiscovery(
  mode: "dns" | "dns-srv",
  facts: Readonly<Record<string, unknown>>,
  ask: () => Promise<readonly string[]>,
): Discovery {
  let last: Record<string, unknown> = {};
  return {
    mode,
    hasFounder: false,
    async find() {
      try {
        const addresses = [...new Set(await ask())];
        last = { last_contact: new Date().toISOString(), last_addresses: addresses };
        return addresses;
      } catch (error) {
        last = { ...last, last_error: errorText(error) };
        throw new CairnError("SERVER_DISCOVERY_FAILED", `server: discovery: ${errorText(error)}`, {
          cause: error,
        });
      }
    },
    claim: async () => false,
    report: async () => undefined,
    status: () => ({ mode, ...facts, ...last }),
  };
}
