/**
 * The thread that flushes, compacts and unlinks for one engine.
 *
 * It works in slices, and hears new orders in between, so that a flush need not wait for the end of
 * a long compaction. Invariant: what it was told to do it does or reports as failed.
 * Chapter: 04-lsm, "Background work"
 */
import { openSharedMemtable } from "#memtable";
import { atTurnEnd, createNodeClock, createNodeDisk, type Port, threadStart } from "#platform";
import { createJobs, type JobKind, type Jobs } from "./jobs.ts";
import { openSharedNumbers } from "./numbers.ts";
import { type FromWorker, packError, type ToWorker, type WorkerStart } from "./worker-protocol.ts";

/** Orders are heard again after so long: a flush waits no longer than that to begin. */
const TURN_MS = 2;

class WorkerHost {
  readonly #port: Port<FromWorker, ToWorker>;
  readonly #jobs: Jobs;
  readonly #clock = createNodeClock();
  #orders = 0;
  #isScheduled = false;

  constructor(port: Port<FromWorker, ToWorker>, { dir, numbers }: WorkerStart) {
    this.#port = port;
    const shared = openSharedNumbers(numbers);
    const place = { disk: createNodeDisk(), dir, allocateId: () => shared.take() };
    this.#jobs = createJobs(place, {
      done: (job, result) => port.post({ kind: "done", job, result }),
      failed: (job, error) => this.#fail(job, error),
    });
    port.onMessage((message) => this.#onOrder(message));
  }

  #onOrder(message: ToWorker): void {
    this.#orders += 1;
    switch (message.kind) {
      case "flush":
        this.#jobs.flush(openSharedMemtable(message.memtable), message.order);
        break;
      case "compact":
        this.#jobs.compact(message.job);
        break;
      case "unlink":
        this.#jobs.unlink(message.paths, message.syncDir);
        break;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atTurnEnd(() => {
      this.#isScheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const until = this.#clock.now() + TURN_MS;
    while (this.#jobs.slice() && this.#clock.now() < until);
    if (!this.#jobs.isIdle) {
      this.#schedule();
      return;
    }
    this.#port.post({ kind: "idle", orders: this.#orders });
    this.#orders = 0;
  }

  #fail(job: JobKind, error: unknown): void {
    this.#port.post({ kind: "failed", job, error: packError(error) });
  }
}

const { port, data } = threadStart<FromWorker, ToWorker, WorkerStart>();
new WorkerHost(port, data);
