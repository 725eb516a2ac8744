/**
 * Paths and query strings by the rules of Go's `net/url`, whose error texts clients get to see.
 *
 * Invariant: bytes that are not UTF-8 never throw; they become U+FFFD, as in every text of ours.
 */
import { CairnError } from "#base";

/** A percent sign that is not followed by two hex digits. */
const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;

/** The longest piece of a broken escape that the message shows. */
const ESCAPE_CHARACTERS = 3;

/** Path and query of a request target; an absolute target (`http://host/path`) loses its host. */
export function splitTarget(target: string): { path: string; query: string } {
  const local = target.startsWith("/")
    ? target
    : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i, "");
  const at = local.indexOf("?");
  if (at === -1) return { path: local, query: "" };
  return { path: local.slice(0, at), query: local.slice(at + 1) };
}

/**
 * The text that percent escapes stand for.
 *
 * @throws `SERVER_REQUEST_INVALID` for a broken escape.
 */
export function unescapePercent(text: string): string {
  if (!text.includes("%")) return text;
  const broken = BROKEN_ESCAPE.exec(text);
  if (broken !== null) {
    const piece = text.slice(broken.index, broken.index + ESCAPE_CHARACTERS);
    throw new CairnError("SERVER_REQUEST_INVALID", `invalid URL escape ${JSON.stringify(piece)}`);
  }
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    // The escapes are whole, so it can only be that their bytes are not UTF-8.
    const bytes = text.replace(/[^%]+/g, (plain) => Buffer.from(plain, "utf8").toString("latin1"));
    const decoded = bytes.replace(/%(..)/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return Buffer.from(decoded, "latin1").toString("utf8");
  }
}

/**
 * Names and values of a query string. Of a repeated name the first value counts.
 *
 * @throws `SERVER_REQUEST_INVALID` for a broken escape or a semicolon.
 */
export function parseQuery(query: string): Map<string, string> {
  const values = new Map<string, string>();
  if (query === "") return values;
  for (const piece of query.split("&")) {
    if (piece === "") continue;
    if (piece.includes(";")) {
      throw new CairnError("SERVER_REQUEST_INVALID", "invalid semicolon separator in query");
    }
    const equals = piece.indexOf("=");
    const name = unescapeForm(equals === -1 ? piece : piece.slice(0, equals));
    const value = equals === -1 ? "" : unescapeForm(piece.slice(equals + 1));
    if (!values.has(name)) values.set(name, value);
  }
  return values;
}

function unescapeForm(text: string): string {
  return unescapePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}
