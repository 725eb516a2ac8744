/**
 * Callers that commit and wait, for the checks of steps 01.7 to 01.9.
 */
import { expectThat } from "#learn";
import type { Wal } from "#wal/types";
import { payloadOf } from "./lab.ts";

/** Lets everything that is ready run: more turns than any chain of promises here is long. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Commits, and notes what becomes of each call, in the order in which it happens. */
export class Callers {
  readonly resolved: number[] = [];
  readonly rejected: number[] = [];
  /** Commits resolved with another number than their own. */
  readonly strange: string[] = [];
  #asked = 0;

  commit(wal: Wal, bytes = 200): Promise<void> {
    this.#asked += 1;
    const own = this.#asked;
    // `commit` may throw before it returns a promise: a stub does.
    return wal.commit(payloadOf(own, bytes)).then(
      (lsn) => {
        this.resolved.push(own);
        if (lsn !== own) this.strange.push(`commit ${own} resolved with LSN ${lsn}`);
      },
      (error: unknown) => {
        if (error instanceof Error && error.name === "NotWrittenError") throw error;
        this.rejected.push(own);
      },
    );
  }

  get waiting(): number {
    return this.#asked - this.resolved.length - this.rejected.length;
  }
}

/** The next asynchronous sync does not come back before it is released. */
export const HANG = { operation: "sync", fault: "hang", after: 0 } as const;

/** Fails if somebody waits for ever. */
export function nobodyWaits(callers: Callers, told: string): void {
  expectThat(callers.waiting === 0, () => ({
    happened: `${told} ${callers.waiting} of them were neither resolved nor rejected, and nothing is left that could do so.`,
    why: "Each of them is a request that hangs until its client gives up, and then asks again.",
  }));
}
