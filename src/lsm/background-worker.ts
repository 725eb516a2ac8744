/**
 * The thread that flushes, compacts and unlinks for one engine after the other.
 *
 * It works in slices, and hears new orders in between, so that a flush need not wait for the end of
 * a long compaction. Invariant: what it was told to do it does or reports as failed.
 * Chapter: 04-lsm, "Background work"
 */
import { assert } from "#base";
import { openSharedMemtable } from "#memtable";
import { atTurnEnd, createNodeClock, createNodeDisk, type Port, threadStart } from "#platform";
import { createJobs, type JobKind, type Jobs } from "./jobs.ts";
import { openSharedNumbers } from "./numbers.ts";
import { type FromWorker, packError, type ToWorker, type WorkerStart } from "./worker-protocol.ts";

/** Orders are heard again after so long: a flush waits no longer than that to begin. */
const TURN_MS = 2;

class WorkerHost {
  readonly #port: Port<FromWorker, ToWorker>;
  readonly #clock = createNodeClock();
  readonly #disk = createNodeDisk();
  #jobs: Jobs | null = null;
  #orders = 0;
  #isScheduled = false;

  constructor(port: Port<FromWorker, ToWorker>) {
    this.#port = port;
    port.onMessage((message) => {
      if (message.kind === "begin") this.#begin(message.start);
      else this.#onOrder(message);
    });
  }

  #begin({ dir, numbers }: WorkerStart): void {
    assert(this.#jobs?.isIdle !== false, "lsm: a worker is taken over when it is idle");
    const shared = openSharedNumbers(numbers);
    const place = { disk: this.#disk, dir, allocateId: () => shared.take() };
    this.#jobs = createJobs(place, {
      done: (job, result) => this.#port.post({ kind: "done", job, result }),
      failed: (job, error) => this.#fail(job, error),
    });
  }

  #onOrder(order: Exclude<ToWorker, { readonly kind: "begin" }>): void {
    const jobs = this.#jobs;
    assert(jobs !== null, "lsm: a worker knows its engine before its first order");
    this.#orders += 1;
    switch (order.kind) {
      case "flush":
        jobs.flush(openSharedMemtable(order.memtable), order.order);
        break;
      case "compact":
        jobs.compact(order.job);
        break;
      case "unlink":
        jobs.unlink(order.paths, order.syncDir);
        break;
    }
    this.#schedule(jobs);
  }

  #schedule(jobs: Jobs): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atTurnEnd(() => {
      this.#isScheduled = false;
      this.#turn(jobs);
    });
  }

  #turn(jobs: Jobs): void {
    const until = this.#clock.now() + TURN_MS;
    while (jobs.slice() && this.#clock.now() < until);
    if (!jobs.isIdle) {
      this.#schedule(jobs);
      return;
    }
    this.#port.post({ kind: "idle", orders: this.#orders });
    this.#orders = 0;
  }

  #fail(job: JobKind, error: unknown): void {
    this.#port.post({ kind: "failed", job, error: packError(error) });
  }
}

const { port } = threadStart<FromWorker, ToWorker, null>();
new WorkerHost(port);
