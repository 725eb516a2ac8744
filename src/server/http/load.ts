/**
 * `/db/load`: a SQLite file, or SQL text as `.dump` writes it (compat reference, 1.8).
 *
 * Invariant: either way it is one entry of the log, so that every replica has all of it or nothing;
 * and a file that the database did not take is never answered as one that it took.
 */
import { type Bytes, CairnError } from "#base";
import type { Command } from "#sqlite/types";
import { type Answer, type Call, TEXT_TYPE, textError } from "./answer.ts";
import { noResultsEnvelope, outcomeEnvelope } from "./envelope.ts";
import { loadFailure } from "./failure.ts";
import { renderingOf } from "./parameters.ts";
import { redirection } from "./redirect.ts";

/** A database file begins with these characters; the content type is not looked at. */
const FILE_MAGIC = Buffer.from("SQLite format");

/** What the database answers to a file that it took; anything else is its refusal. */
const TAKEN = Buffer.from("[]");

/** Replaces the database by a file, or runs a text of statements. */
export async function handleLoad(call: Call): Promise<Answer> {
  const { service, body, parameters } = call;
  try {
    if (body.length === 0) return textError(400, "load: the body is empty");
    const redirect = await redirection(call);
    if (redirect !== undefined) return redirect;
    const command = commandOf(call, body);
    const outcome = await service.execute(command, { timeoutMs: parameters.timeoutMs });
    if (command.kind === "loadFile" && !TAKEN.equals(outcome.results)) {
      throw new CairnError("SQLITE_FILE_INVALID", "invalid SQLite data");
    }
    const answer =
      command.kind === "loadFile" ? noResultsEnvelope(call) : outcomeEnvelope(call, outcome);
    // The reference sets no type here and its library guesses this one from the bytes.
    const headers = { "x-rqlite-served-by": outcome.servedBy, "content-type": TEXT_TYPE };
    return { ...answer, headers };
  } catch (error) {
    return loadFailure(error);
  }
}

function commandOf({ parameters }: Call, body: Bytes): Command {
  const magic = body.subarray(0, FILE_MAGIC.length);
  if (FILE_MAGIC.equals(magic)) return { kind: "loadFile", file: body };
  const sql = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
  return { kind: "loadText", sql, rendering: renderingOf(parameters) };
}
