/**
 * Errors of the operating system as errors of this project.
 *
 * Invariant: every error names the path or address that it is about, in its message and details.
 */
import { getSystemErrorMap } from "node:util";
import { CairnError, type ErrorCode, errorText } from "#base";

/** What is not listed is `DISK_IO`: nobody above can do better than stop and look. */
const DISK_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  ENOENT: "DISK_NOT_FOUND",
  ENOTDIR: "DISK_NOT_FOUND",
  EEXIST: "DISK_EXISTS",
  EROFS: "DISK_READ_ONLY",
  EACCES: "DISK_READ_ONLY",
  EPERM: "DISK_READ_ONLY",
};

/** The system's short name of an error, such as `ENOENT`; the empty string if it has none. */
export function systemCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** The error of a disk operation. */
export function diskError(operation: string, path: string, error: unknown): CairnError {
  const errno = systemCode(error);
  const code = DISK_CODES[errno] ?? "DISK_IO";
  return new CairnError(code, `platform: ${path}: ${operation}: ${systemText(error)}`, {
    cause: error,
    details: { path, operation, errno },
  });
}

/** The system's words for an error, without the path that Node appends. */
export function systemText(error: unknown): string {
  const name = systemCode(error);
  if (error instanceof Error && "errno" in error && typeof error.errno === "number") {
    const text = getSystemErrorMap().get(error.errno)?.[1];
    if (text !== undefined) return `${text} (${name})`;
  }
  return errorText(error);
}
