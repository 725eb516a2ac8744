/**
 * `/db/load`: a SQLite file, or SQL text as `.dump` writes it; `/boot`: a SQLite file for a lone
 * node (compat reference, 1.8, 1.9).
 *
 * A file goes on in the pieces in which it comes, so its size does not matter here. Invariant: a
 * file that the database did not take is never answered as one that it took.
 */
import type { Bytes } from "#base";
import { CairnError } from "#base";
import type { BodyPieces } from "../types.ts";
import { type Answer, type Call, emptyAnswer, TEXT_TYPE, textError } from "./answer.ts";
import { collect, tooLarge } from "./body.ts";
import { noResultsEnvelope, outcomeEnvelope } from "./envelope.ts";
import { bootFailure, loadFailure } from "./failure.ts";
import { callOptionsOf, renderingOf } from "./parameters.ts";
import { redirection } from "./redirect.ts";

/** A database file begins with these characters; the content type is not looked at. */
const FILE_MAGIC = Buffer.from("SQLite format");
/** What `/boot` wants to see before it looks closer. */
const BOOT_BYTES_MIN = 32;
const BOOT_MAGIC = Buffer.from("SQLite format 3\0");

/** Replaces the database by a file, or runs a text of statements. */
export async function handleLoad(call: Call): Promise<Answer> {
  const { service } = call;
  service.counters.add("http", "loads");
  try {
    const redirect = await redirection(call);
    if (redirect !== undefined) return redirect;
    const { first, all } = await peek(call.pieces, FILE_MAGIC.length);
    if (first.length === 0) return textError(400, "load: the body is empty");
    if (!startsWith(first, FILE_MAGIC)) return await loadText(call, all);
    const { servedBy } = await service.loadFile(all, callOptionsOf(call));
    return asText(noResultsEnvelope(call), servedBy);
  } catch (error) {
    return loadFailure(error);
  }
}

async function loadText(call: Call, pieces: BodyPieces): Promise<Answer> {
  const bytesMax = call.service.config.httpBodyBytesMax;
  const bytes = await collect(pieces, bytesMax);
  if (bytes === undefined) return tooLarge(bytesMax);
  const sql = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const rendering = renderingOf(call.parameters);
  const command = { kind: "loadText", sql, rendering } as const;
  const outcome = await call.service.execute(command, callOptionsOf(call));
  return asText(outcomeEnvelope(call, outcome), outcome.servedBy);
}

/** The reference sets no type here and its library guesses this one from the bytes. */
function asText(answer: Answer, servedBy: string): Answer {
  return { ...answer, headers: { "x-rqlite-served-by": servedBy, "content-type": TEXT_TYPE } };
}

/** Replaces the database of a lone node. */
export async function handleBoot(call: Call): Promise<Answer> {
  const { service } = call;
  service.counters.add("http", "boot");
  try {
    const { first, all } = await peek(call.pieces, BOOT_BYTES_MIN);
    if (first.length < BOOT_BYTES_MIN) return textError(503, "EOF");
    if (!startsWith(first, BOOT_MAGIC)) {
      throw new CairnError("SQLITE_FILE_INVALID", "invalid SQLite data");
    }
    await service.boot(all);
    return emptyAnswer(200);
  } catch (error) {
    return bootFailure(error);
  }
}

function startsWith(bytes: Bytes, magic: Bytes): boolean {
  return Buffer.compare(bytes.subarray(0, magic.length), magic) === 0;
}

/** The first bytes, at least so many if there are, and then everything, them included. */
async function peek(
  pieces: BodyPieces,
  bytesMin: number,
): Promise<{ readonly first: Bytes; readonly all: BodyPieces }> {
  const iterator = pieces[Symbol.asyncIterator]();
  let first: Bytes = new Uint8Array(0);
  while (first.length < bytesMin) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    first = first.length === 0 ? value : Buffer.concat([first, value]);
  }
  async function* all(): AsyncGenerator<Bytes> {
    if (first.length > 0) yield first;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) return;
      yield value;
    }
  }
  return { first, all: all() };
}
