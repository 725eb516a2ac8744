/**
 * Durations as Go writes them: `10ms`, `1.5s`, `1h2m`, `-1s`, `0`.
 *
 * Flags and query parameters of the reference use this syntax, and `/nodes` answers in it.
 * Invariant: a bare number is refused (except `0`), because nobody can know its unit.
 */
import type { Ms } from "#base";

/** Nanoseconds in each unit. Both characters that look like a micro sign are one unit. */
const UNIT_NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "\u00b5s": 1e3,
  "\u03bcs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go keeps durations in 64 signed bits of nanoseconds: about 292 years. */
const NANOSECONDS_MAX = 2 ** 63;

const NANOSECONDS_PER_MS = 1e6;
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;
const TERM = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/**
 * Reads a duration.
 *
 * @returns milliseconds, perhaps with a fraction, perhaps negative; undefined if the text is none.
 */
export function parseDuration(text: string): Ms | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  if (!DURATION.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, count = "", unit = ""] of text.matchAll(TERM)) {
    nanoseconds += Number(count) * (UNIT_NANOSECONDS[unit] ?? Number.NaN);
  }
  if (!(nanoseconds < NANOSECONDS_MAX)) return undefined;
  const ms = nanoseconds / NANOSECONDS_PER_MS;
  return text.startsWith("-") ? -ms : ms;
}

/** Writes a duration as Go's `String` does: `23.1µs`, `1.5s`, `2m0s`, `0s`. */
export function formatDuration(ms: Ms): string {
  const nanoseconds = Math.round(Math.abs(ms) * NANOSECONDS_PER_MS);
  const sign = ms < 0 && nanoseconds > 0 ? "-" : "";
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e3) return `${sign}${nanoseconds}ns`;
  if (nanoseconds < 1e6) return `${sign}${decimal(nanoseconds, 3)}\u00b5s`;
  if (nanoseconds < 1e9) return `${sign}${decimal(nanoseconds, 6)}ms`;
  const minutes = Math.floor(nanoseconds / 60e9);
  const seconds = `${decimal(nanoseconds - minutes * 60e9, 9)}s`;
  if (minutes === 0) return sign + seconds;
  if (minutes < 60) return `${sign}${minutes}m${seconds}`;
  return `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** `value / 10^places`, exactly, without trailing zeros. */
function decimal(value: number, places: number): string {
  const digits = String(value).padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  const whole = digits.slice(0, -places);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
