/**
 * Every error code of the project, in one table.
 *
 * Codes are stable: programs branch on them, never on message texts. `appendix/errors.md`
 * explains each one; a house test compares the two.
 */

/** What the table says about one code. */
export interface ErrorCodeRow {
  /**
   * May the caller try the same call again, and expect another outcome? `unknown`: the first try
   * may have worked.
   */
  readonly retry: "no" | "later" | "elsewhere" | "unknown";
  /** HTTP status that the server answers with where the wire format does not say otherwise. */
  readonly httpStatus: number;
  /**
   * May a replica record this error as the result of a log entry, because every replica gets the
   * same one?
   */
  readonly deterministic: boolean;
}

const row = (
  retry: ErrorCodeRow["retry"],
  httpStatus: number,
  deterministic = false,
): ErrorCodeRow => ({ retry, httpStatus, deterministic });

/** The table. Add rows, never rename them. */
export const ERROR_CODES = {
  // platform: disk
  DISK_FULL: row("later", 507),
  DISK_IO: row("no", 500),
  DISK_NOT_FOUND: row("no", 500),
  DISK_EXISTS: row("no", 500),
  DISK_READ_ONLY: row("no", 500),
  DISK_LOCKED: row("no", 500),
  // platform: network
  NET_ADDRESS_IN_USE: row("no", 500),
  NET_ADDRESS_INVALID: row("no", 500),
  NET_UNREACHABLE: row("later", 503),
  NET_TIMEOUT: row("unknown", 504),
  NET_TLS_INVALID: row("no", 500),
  NET_NAME_UNKNOWN: row("later", 500),
  // bytes
  BYTES_MALFORMED: row("no", 400, true),
  // wal
  WAL_CORRUPT: row("no", 500),
  WAL_POISONED: row("no", 500),
  WAL_CLOSED: row("no", 500),
  WAL_NOT_RETAINED: row("no", 500),
  // sstable
  SSTABLE_CORRUPT: row("no", 500),
  // lsm
  LSM_CORRUPT: row("no", 500),
  LSM_CLOSED: row("no", 500),
  LSM_STALLED: row("later", 503),
  LSM_WRITE_REFUSED: row("later", 503),
  LSM_NOT_FOUND: row("no", 500),
  LSM_EXISTS: row("no", 500),
  // mvcc
  MVCC_CONFLICT: row("later", 409),
  MVCC_SNAPSHOT_TOO_OLD: row("no", 410),
  MVCC_TRANSACTION_OVER: row("no", 500),
  MVCC_LAYOUT_MISMATCH: row("no", 500),
  // replica
  REPLICA_NOT_LEADER: row("elsewhere", 503),
  REPLICA_BUSY: row("later", 503),
  REPLICA_STOPPED: row("elsewhere", 503),
  REPLICA_LEADERSHIP_LOST: row("elsewhere", 503),
  REPLICA_TIMEOUT: row("unknown", 504),
  REPLICA_LOG_CORRUPT: row("no", 500),
  REPLICA_LOG_BEHIND: row("no", 500),
  REPLICA_FRAME_CORRUPT: row("no", 500),
  REPLICA_IDENTITY_MISMATCH: row("no", 500),
  REPLICA_PEER_FAILED: row("unknown", 502),
  REPLICA_TRANSFERRING: row("later", 503),
  REPLICA_TRANSFER_FAILED: row("later", 503),
  REPLICA_CHANGE_REFUSED: row("later", 503),
  REPLICA_CHANGE_INVALID: row("no", 400),
  REPLICA_READ_FAILED: row("later", 503),
  REPLICA_SNAPSHOT_MISSING: row("no", 500),
  REPLICA_SNAPSHOT_INVALID: row("no", 500),
  REPLICA_COMMAND_INVALID: row("no", 400, true),
  REPLICA_DIVERGED: row("elsewhere", 503),
  REPLICA_RECOVERY_INVALID: row("no", 500),
  // sqlite
  SQLITE_STATEMENT_FAILED: row("no", 200, true),
  SQLITE_ENGINE_FAILED: row("no", 500),
  SQLITE_FILE_INVALID: row("no", 400, true),
  SQLITE_PRAGMA_DISALLOWED: row("no", 200, true),
  SQLITE_READER_FAILED: row("later", 500),
  SQLITE_RESULT_UNRENDERABLE: row("no", 500, true),
  // server
  SERVER_CONFIG_INVALID: row("no", 500),
  SERVER_REQUEST_INVALID: row("no", 400),
  SERVER_BODY_TOO_LARGE: row("no", 413),
  SERVER_UNAUTHORIZED: row("no", 401),
  SERVER_AUTH_BUSY: row("later", 503),
  SERVER_NO_LEADER: row("later", 503),
  SERVER_NOT_READY: row("later", 503),
  SERVER_STALE_READ: row("elsewhere", 200),
  SERVER_JOIN_FAILED: row("no", 500),
  SERVER_DISCOVERY_FAILED: row("later", 503),
  SERVER_NOT_SINGLE_NODE: row("no", 503),
  SERVER_MEMBERSHIP_REFUSED: row("no", 500),
} as const satisfies Record<string, ErrorCodeRow>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Extra values that travel with an error, for programs and for log lines. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/**
 * The world failed, or the caller lost a race. Our own bugs are `InvariantError`; nonsense
 * arguments are `TypeError` or `RangeError`.
 */
export class CairnError extends Error {
  override readonly name = "CairnError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /**
   * @param message - `module: place: what was wrong, with values`; lower case, no full stop.
   * @param options - `cause`: the error below; `details`: file, offset and the like.
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; details?: ErrorDetails } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Tells whether `error` is a {@link CairnError}, with the given code if one is named. */
export function isCairnError(error: unknown, code?: ErrorCode): error is CairnError {
  return error instanceof CairnError && (code === undefined || error.code === code);
}

/** The text of anything that was thrown, for log lines. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
