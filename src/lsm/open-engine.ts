/**
 * The way in: options are checked, the directory is recovered, and the engine starts.
 *
 * Invariant: an engine that could not be opened leaves no lock behind.
 * Chapter: 04-lsm
 */
import { createNodeClock, createNodeDisk } from "#platform";
import { startEngine } from "./engine.ts";
import { checkOptions, type Machine } from "./options.ts";
import { recover } from "./recover.ts";
import type { Engine, EngineOptions } from "./types.ts";

const MACHINE: Machine = { disk: createNodeDisk, clock: createNodeClock };

/**
 * Opens or creates an engine and recovers it.
 *
 * @throws see `LsmModule.openEngine`.
 */
export function openEngine(options: EngineOptions): Engine {
  const settings = checkOptions(options, MACHINE);
  return startEngine(settings, recover(settings));
}
