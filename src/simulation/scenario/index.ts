/**
 * The scenario language: texts that say what happens in a cluster, and what comes of it.
 *
 * Reading order: script.ts, arguments.ts; message-text.ts, forge.ts, names.ts; draw.ts, wire.ts,
 * member.ts, requests.ts, trace.ts, world.ts, time.ts; log-bench.ts, net-bench.ts; context.ts, the
 * verbs-*.ts, the propert*.ts, verbs.ts; run-scenario.ts.
 */
export type { ScenarioOptions } from "./context.ts";
export { runScenario, type ScenarioFailure, type ScenarioReport } from "./run-scenario.ts";
export { ScenarioError } from "./script.ts";
export { VERB_GROUPS as SCENARIO_VERBS } from "./verbs.ts";
