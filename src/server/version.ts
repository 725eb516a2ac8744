/**
 * Versions that the service reports.
 *
 * Invariant: the number of the package and the number of the API that it speaks are never mixed up.
 */

/** Our own version; equals the one in package.json, which a test compares. */
export const CAIRN_VERSION = "0.1.0";

/** The rqlite release whose HTTP API this is; clients look for it in `X-RQLITE-VERSION`. */
export const API_VERSION = "v10.3.0";
