/**
 * Which version this is, and which version of the reference's API it speaks.
 *
 * Invariant: these two constants are the only place that knows; a test compares the first with the
 * package's own.
 */

/** Our own version, as in package.json. */
export const CAIRN_VERSION: string = "0.1.0";

/**
 * Sent as `X-RQLITE-VERSION`: clients choose by it what they may ask for, so it names the version of
 * the API, not of this program.
 */
export const API_VERSION: string = "v10.3.0";
