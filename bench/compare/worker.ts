/**
 * The child process as the parent sees it: one job at a time, one answer each.
 *
 * A fresh process for each cell keeps one engine's garbage, compiled code and caches from the next
 * one's numbers.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask, endChild, forkModule } from "../harness/index.ts";
import type { Answer, CellResult, Description, EngineName, Job, RowName } from "./types.ts";

const CELL = join(dirname(fileURLToPath(import.meta.url)), "cell.ts");

/** Does jobs in a child process. Each rejects with what the engine threw. */
export interface Worker {
  describe(engine: EngineName): Promise<Description>;
  /** @returns seconds that it took. */
  prepare(engine: EngineName, dir: string, keys: number): Promise<number>;
  measure(
    engine: EngineName,
    cell: { readonly row: RowName; readonly dir: string; readonly keys: number },
  ): Promise<CellResult>;
  /** Ends the process. */
  end(): Promise<void>;
}

/** Starts a process. @param built - whether it loads what was built, rather than the sources. */
export function startWorker(built: boolean): Worker {
  const child = forkModule(CELL, { built });
  const send = async (job: Job) => {
    // Our own child sends nothing else.
    const answer = (await ask(child, job)) as Answer;
    if (answer.kind === "failed") {
      throw new Error(`compare: ${JSON.stringify(job)}: ${answer.reason}`);
    }
    return answer;
  };
  return {
    async describe(engine) {
      const answer = await send({ kind: "describe", engine });
      if (answer.kind !== "described") throw unexpected(answer);
      return answer.description;
    },
    async prepare(engine, dir, keys) {
      const answer = await send({ kind: "prepare", engine, dir, keys });
      if (answer.kind !== "prepared") throw unexpected(answer);
      return answer.seconds;
    },
    async measure(engine, cell) {
      const answer = await send({ kind: "cell", engine, ...cell });
      if (answer.kind !== "cell") throw unexpected(answer);
      return answer.result;
    },
    end: () => endChild(child),
  };
}

function unexpected(answer: Answer): Error {
  return new Error(`compare: an answer to another question: ${answer.kind}`);
}
