/**
 * From errors to answers (compat reference, 1.6 to 1.8).
 *
 * Invariant: a request that was understood and failed as a whole is 200 with an `error` in the
 * envelope, as clients of the reference expect; 503 says "try another node, or later" and is kept
 * for a cluster without a leader, and for nodes that are too busy or not sound. Texts are the
 * reference's; decisions are by code.
 */
import { CairnError, ERROR_CODES, errorText, isCairnError } from "#base";
import { type Answer, type Call, textError } from "./answer.ts";
import { errorEnvelope } from "./envelope.ts";

/** The reference's words for a node that is stopping, or was never open. */
export const NOT_OPEN_TEXT = "store not open";

/** The reference's words for what we tell by code. */
const TEXTS: Partial<Record<CairnError["code"], string>> = {
  SERVER_NO_LEADER: "leader not found",
  SERVER_NOT_READY: "store not ready",
  SERVER_STALE_READ: "stale read",
  REPLICA_NOT_LEADER: "not leader",
  REPLICA_BUSY: "timed out enqueuing operation",
  REPLICA_LEADERSHIP_LOST: "leadership lost while committing log",
  REPLICA_STOPPED: NOT_OPEN_TEXT,
  SERVER_NOT_SINGLE_NODE: "not single-node",
  SQLITE_PRAGMA_DISALLOWED: "disallowed pragma",
};

/** As short as the header can say. */
const RETRY_AFTER_SECONDS = "1";

function wireText(error: CairnError): string {
  return TEXTS[error.code] ?? error.message;
}

/** Errors that mean the same on every endpoint; undefined for all others. */
function commonFailure(error: unknown): Answer | undefined {
  // Our own bug, or a nonsense argument that got through our gate: not an outcome of the request.
  if (!(error instanceof CairnError)) return textError(500, `internal error: ${errorText(error)}`);
  switch (error.code) {
    case "SERVER_NO_LEADER":
    case "SERVER_REQUEST_INVALID":
    case "SERVER_BODY_TOO_LARGE":
    case "SERVER_AUTH_BUSY":
    case "REPLICA_DIVERGED":
      return textError(ERROR_CODES[error.code].httpStatus, wireText(error));
    // The reference says so in an envelope, and has its callers wait up to five seconds before.
    case "REPLICA_BUSY":
    case "REPLICA_TRANSFERRING":
      return laterError(wireText(error));
    // Found only when the answer was written; nobody can say it in JSON.
    case "SQLITE_RESULT_UNRENDERABLE":
      return textError(500, String(error.details["text"] ?? error.message));
    default:
      return undefined;
  }
}

/** Definitely not done, and worth another try soon. */
function laterError(text: string): Answer {
  const answer = textError(503, text);
  return { ...answer, headers: { ...answer.headers, "retry-after": RETRY_AFTER_SECONDS } };
}

/** What is told to a caller whom the leader did not let in. */
function notAuthorized(what: string): Answer {
  return textError(401, `remote ${what} not authorized`);
}

/**
 * The answer of execute, query and request to an error.
 *
 * @param what - the call's name, as the reference writes it.
 */
export function sqlFailure(call: Call, error: unknown, what: string): Answer {
  if (isCairnError(error, "SERVER_UNAUTHORIZED")) return notAuthorized(what);
  const common = commonFailure(error);
  if (common !== undefined || !(error instanceof CairnError)) {
    return common ?? textError(500, errorText(error));
  }
  return errorEnvelope(call, wireText(error));
}

/** The answer of load to an error: every one has a status of its own. */
export function loadFailure(error: unknown): Answer {
  if (isCairnError(error, "SERVER_UNAUTHORIZED")) return notAuthorized("load");
  const common = commonFailure(error);
  if (common !== undefined || !(error instanceof CairnError)) {
    return common ?? textError(500, errorText(error));
  }
  if (error.code === "REPLICA_PEER_FAILED") {
    return textError(500, `remote node failed to load: ${error.message}`);
  }
  // Not what the reference does (500), but who sends a broken file must be told that it is theirs.
  if (error.code === "SQLITE_FILE_INVALID") {
    return textError(ERROR_CODES.SQLITE_FILE_INVALID.httpStatus, error.message);
  }
  return textError(500, wireText(error));
}

/** The answer of boot to an error: nearly all are 503, as the reference has it. */
export function bootFailure(error: unknown): Answer {
  if (isCairnError(error, "SQLITE_FILE_INVALID")) return textError(400, error.message);
  if (isCairnError(error)) return textError(503, wireText(error));
  return plainFailure(error);
}

/** The answer to an error of a call that may have gone to the leader. */
export function forwardedFailure(error: unknown, what: string): Answer {
  if (isCairnError(error, "SERVER_UNAUTHORIZED")) return notAuthorized(what);
  return plainFailure(error);
}

/** The answer of backup, status and the like to an error. */
export function plainFailure(error: unknown): Answer {
  return (
    commonFailure(error) ?? textError(500, isCairnError(error) ? wireText(error) : String(error))
  );
}
