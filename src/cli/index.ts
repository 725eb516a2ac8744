/**
 * cli: `cairn`, the program for people, and `cairnd`, the server process.
 *
 * Reading order: cairnd.ts, hash-password.ts, profiles.ts, exit-with-parent.ts; cairn.ts,
 * program.ts, stop-signal.ts, learn-commands.ts, learn-parts.ts, learn-runner.ts; cluster.ts,
 * cluster-directory.ts, ports.ts, cluster-plan.ts, node-log.ts, node-process.ts, node-client.ts,
 * cluster-watch.ts, cluster-text.ts; live-view.ts, screen.ts; sample-words.ts, sample-database.ts,
 * sample-load.ts; inspect.ts, inspect-log.ts, inspect-table.ts, inspect-manifest.ts,
 * inspect-engine.ts, inspect-payload.ts, inspect-bytes.ts, inspect-report.ts; recover.ts,
 * compare.ts; sim-command.ts, sim.ts, sim-search.ts, sim-worker.ts, sim-real.ts.
 *
 * The programs are not exported: importing them would run them.
 */
export { type ClusterDirectory, openClusterDirectory } from "./cluster-directory.ts";
export { type PlannedNode, planCluster } from "./cluster-plan.ts";
export { introduction } from "./cluster-text.ts";
export { type InspectAnswer, type InspectRequest, inspect } from "./inspect.ts";
export {
  changedNodes,
  describeChanges,
  type NodeView,
  renderLine,
  renderView,
} from "./live-view.ts";
export { openNodeLog } from "./node-log.ts";
export { createPortPlan, isPortFree, waitForPort } from "./ports.ts";
export { createProgram } from "./program.ts";
export { SAMPLE_SEED, type SampleBatch, sampleBatches } from "./sample-database.ts";
export { type Envelope, loadSample, type Send } from "./sample-load.ts";
export { createScreen, type ScreenStream } from "./screen.ts";
export { runSim, type SimFlags, type SimSurroundings } from "./sim.ts";
