/**
 * The statements of a request, whichever way they came (compat reference, 1.3).
 *
 * Invariant: what is returned holds no PRAGMA that would take the engine out of our hands.
 */
import { CairnError } from "#base";
import { findDisallowedPragma } from "#sqlite";
import type { Statement } from "#sqlite/types";
import type { Call } from "./answer.ts";
import { parseStatements, plainStatement } from "./json-body.ts";

/** A body as text. */
export function textOf({ body }: Pick<Call, "body">): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
}

/**
 * Reads the body.
 *
 * @param options - `isText`: it is one statement. `mayBeEmpty`: an empty array is in order.
 * @throws `SERVER_REQUEST_INVALID`, `SQLITE_PRAGMA_DISALLOWED`
 */
export function statementsOfBody(
  call: Pick<Call, "body">,
  options: { readonly isText?: boolean; readonly mayBeEmpty?: boolean } = {},
): readonly Statement[] {
  const text = textOf(call);
  if (options.isText === true) return allowed([plainStatement(text)]);
  return allowed(parseStatements(text, options.mayBeEmpty));
}

/** One statement from the parameter `q`. @throws `SQLITE_PRAGMA_DISALLOWED` */
export function statementOfParameter(sql: string): readonly Statement[] {
  return allowed([plainStatement(sql)]);
}

function allowed(statements: readonly Statement[]): readonly Statement[] {
  if (findDisallowedPragma(statements) === undefined) return statements;
  throw new CairnError("SQLITE_PRAGMA_DISALLOWED", "disallowed pragma");
}
