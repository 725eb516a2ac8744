/**
 * The discovery that a configuration asks for.
 *
 * Invariant: what is wrong with the settings is told before the node has touched its data.
 */
import { createNodeNames, type Names } from "#platform";
import { splitAddress } from "../address.ts";
import type { NodeConfig } from "../node-config.ts";
import { createConsulStore } from "./consul.ts";
import { createEtcdStore } from "./etcd.ts";
import { createKeyDiscovery } from "./leader-key.ts";
import { createHostDiscovery, createServiceDiscovery } from "./names.ts";
import { fieldsOf } from "./settings.ts";
import type { Discovery } from "./types.ts";

/** What a discovery is made of. */
export interface DiscoveryOptions {
  readonly config: Pick<NodeConfig, "discovery" | "raftAdvertisedAddress">;
  /** Default: the resolver of this machine. */
  readonly names?: Names;
}

/** Undefined if no discovery is configured. @throws `SERVER_CONFIG_INVALID` */
export function createDiscovery(options: DiscoveryOptions): Discovery | undefined {
  const { config, names = createNodeNames() } = options;
  const { discovery, raftAdvertisedAddress } = config;
  if (discovery === undefined) return undefined;
  const settings = fieldsOf(discovery.settings);
  switch (discovery.mode) {
    case "dns": {
      const port = Number(splitAddress(raftAdvertisedAddress)?.port);
      return createHostDiscovery(names, settings, { port, hosts: discovery.hosts });
    }
    case "dns-srv":
      return createServiceDiscovery(names, settings);
    case "consul-kv":
      return createKeyDiscovery("consul-kv", createConsulStore(discovery.key, settings));
    case "etcd-kv":
      return createKeyDiscovery("etcd-kv", createEtcdStore(discovery.key, settings));
  }
}
