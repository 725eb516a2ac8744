/**
 * Runs the script that is directed at a mutant.
 *
 * Chapter: 11-simulation.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ScenarioReport } from "#simulation";
import type { Laboratory } from "./plant.ts";

const DIRECTORY = join(import.meta.dirname, "../scenarios");
const FILES = readdirSync(DIRECTORY);

/** Runs a scenario by its id. */
export async function runDirected(
  id: string,
  { createRaftCore, runScenario }: Laboratory,
): Promise<ScenarioReport> {
  const file = FILES.find((name) => name.startsWith(`${id}-`));
  if (file === undefined) throw new Error(`${id} is no scenario`);
  return runScenario(readFileSync(join(DIRECTORY, file), "utf8"), { createRaftCore });
}
