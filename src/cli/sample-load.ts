/**
 * Sends the sample database to a cluster over HTTP, as any client would.
 *
 * Invariant: each batch takes effect once, however often it is sent: its number is a primary key in
 * the same transaction. So a lost answer is harmless: ask which batches are there, and go on
 * behind.
 */
import { CairnError, isCairnError } from "#base";
import { type SampleBatch, sampleBatches } from "./sample-database.ts";

/** Sends JSON statements to a path such as `/db/execute`. Rejects when no node gave an answer. */
export type Send = (path: string, statements: readonly string[]) => Promise<Envelope>;

/** The part of an answer that matters here. */
export interface Envelope {
  readonly results?: readonly {
    readonly error?: string;
    readonly values?: readonly (readonly unknown[])[];
  }[];
  readonly error?: string;
}

/** An election ends within seconds: together these are ten. */
const ATTEMPTS_MAX = 20;
const RETRY_MS = 500;

/**
 * Creates the sample database, or what is missing of it.
 *
 * @returns `found` if there was nothing to do.
 * @throws `SQLITE_STATEMENT_FAILED` when SQLite refuses a statement, for example because there is
 * another table of that name; else the last failure to get an answer.
 */
export async function loadSample(
  send: Send,
  batches: readonly SampleBatch[] = sampleBatches(),
): Promise<"created" | "found"> {
  let outcome: "created" | "found" = "found";
  let done = await lastBatch(send);
  let failures = 0;
  for (let batch = batches[done]; batch !== undefined; batch = batches[done]) {
    outcome = "created";
    try {
      refuseErrors(await send("/db/execute?transaction", batch.statements));
      done = batch.number;
      failures = 0;
    } catch (error) {
      failures += 1;
      // It may have taken effect all the same, if only the answer was lost: look.
      const found = await lastBatch(send);
      const refused = isCairnError(error, "SQLITE_STATEMENT_FAILED");
      if (found <= done && (refused || failures >= ATTEMPTS_MAX)) throw error;
      if (found <= done) await pause();
      done = found;
    }
  }
  return outcome;
}

/** The number of the last batch that is there; 0 for none. */
async function lastBatch(send: Send): Promise<number> {
  const tables = await ask(send, "SELECT count(*) FROM sqlite_master WHERE name='sample_batches'");
  if (tables === 0) return 0;
  return ask(send, "SELECT ifnull(max(number), 0) FROM sample_batches");
}

async function ask(send: Send, sql: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const envelope = await send("/db/query", [sql]);
      refuseErrors(envelope);
      return Number(envelope.results?.[0]?.values?.[0]?.[0]);
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX) throw error;
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

/** A request that failed as a whole may work later; a statement that SQLite refused will not. */
function refuseErrors({ results, error }: Envelope): void {
  if (error !== undefined) throw new CairnError("SERVER_NOT_READY", `sample: ${error}`);
  const refused = results?.find((result) => result.error !== undefined)?.error;
  if (refused === undefined) return;
  throw new CairnError("SQLITE_STATEMENT_FAILED", `sample: ${refused}`);
}
