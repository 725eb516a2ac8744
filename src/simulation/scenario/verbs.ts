/**
 * All verbs of the language, by name.
 *
 * Invariant: two files never define one verb. Chapter: 11-simulation.
 */
import { assert } from "#base";
import type { Verbs } from "./context.ts";
import { PROPERTIES } from "./properties.ts";
import { CLIENT_VERBS } from "./verbs-client.ts";
import { CLUSTER_VERBS } from "./verbs-cluster.ts";
import { DISK_VERBS } from "./verbs-disk.ts";
import { EXPECT_VERBS } from "./verbs-expect.ts";
import { LOG_VERBS } from "./verbs-log.ts";
import { NET_VERBS } from "./verbs-net.ts";
import { NETWORK_VERBS } from "./verbs-network.ts";
import { TIME_VERBS } from "./verbs-time.ts";

const PROPERTY_VERBS: Verbs = {
  property: {
    usage: "property election-timeouts seed=1 draws=20000",
    does: "Checks a statement about many cases at once.",
    isBefore: true,
    run: (context, args) => {
      const name = args.oneOf(Object.keys(PROPERTIES));
      context.said.push(...PROPERTIES[name]!(context, args));
    },
  },
};

/** In the order in which the page on the language shows them. */
export const VERB_GROUPS: readonly (readonly [title: string, verbs: Verbs])[] = [
  ["The cluster", CLUSTER_VERBS],
  ["Clients and operators", CLIENT_VERBS],
  ["The wire", NETWORK_VERBS],
  ["Time", TIME_VERBS],
  ["Disks, processes, state machines", DISK_VERBS],
  ["Looking", EXPECT_VERBS],
  ["Properties", PROPERTY_VERBS],
  ["The real log on a simulated disk", LOG_VERBS],
  ["The real transport over simulated byte streams", NET_VERBS],
];

export const VERBS: Verbs = merge(VERB_GROUPS.map(([, verbs]) => verbs));

function merge(groups: readonly Verbs[]): Verbs {
  const all: Record<string, Verbs[string]> = {};
  for (const group of groups) {
    for (const [name, verb] of Object.entries(group)) {
      assert(!(name in all), `simulation: two verbs are called ${name}`);
      all[name] = verb;
    }
  }
  return all;
}
