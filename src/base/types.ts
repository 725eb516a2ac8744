/**
 * Types that every layer shares. No code, no imports.
 */

/** Bytes. Never a `Buffer` in a contract: the core of the house also runs in a browser. */
export type Bytes = Uint8Array;

/** Undoes what the call that returned it has started. Calling it twice does nothing more. */
export type Cancel = () => void;

/** Milliseconds on the monotonic clock of one process. */
export type Ms = number;
