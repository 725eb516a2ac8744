/**
 * Who runs the jobs of an engine: this thread, slice by slice, or a worker.
 *
 * Invariant: either way the listener hears of each job on this thread, and never from inside the
 * call that has started it.
 * Chapter: 04-lsm, "Background work"
 */
import type { JobRunner } from "./background.ts";
import { createJobs, type FlushOrder, type JobListener, type Jobs } from "./jobs.ts";
import type { FrozenLayer } from "./memory.ts";
import type { SharedNumbers } from "./numbers.ts";
import type { EngineSettings } from "./options.ts";
import type { CompactionJob } from "./parts.ts";
import { createThreadRunner } from "./thread-runner.ts";

/** Makes the runner that the settings ask for. */
export function createRunner(
  settings: EngineSettings,
  numbers: SharedNumbers,
  listener: JobListener,
): JobRunner {
  const { disk, dir, isThreaded } = settings;
  const place = { disk, dir, allocateId: () => numbers.take() };
  const jobs = createJobs(place, listener);
  return isThreaded ? createThreadRunner(dir, numbers, listener, jobs) : new InlineRunner(jobs);
}

class InlineRunner implements JobRunner {
  readonly #jobs: Jobs;

  constructor(jobs: Jobs) {
    this.#jobs = jobs;
  }

  prepare(): void {}

  flush({ memtable }: FrozenLayer, order: FlushOrder): void {
    this.#jobs.flush(memtable.cursor(), order);
  }

  compact(job: CompactionJob): void {
    this.#jobs.compact(job);
  }

  unlink(paths: readonly string[], syncDir?: string): void {
    this.#jobs.unlink(paths, syncDir);
  }

  slice(): boolean {
    return this.#jobs.slice();
  }

  async close(): Promise<void> {
    this.#jobs.stop();
  }
}
