/**
 * Dates as rqlite's clients get them: what counts as a date text, and how a date is written.
 *
 * Columns declared `date`, `datetime` or `timestamp` hold text or a number; both are written as
 * RFC 3339. Invariant: a date that was accepted is written with the zone it came with, and nothing
 * is ever rounded except below a nanosecond.
 * Chapter: 09-sqlite. Source: compat reference 2.2; the forms are those of the reference's driver.
 */
import { CairnError } from "#base";

/** What the reference answers for a text that is no date: the zero of its time type. */
const NO_DATE = "0001-01-01T00:00:00Z";
/** Numbers beyond it are milliseconds, below it seconds; in seconds it is the year 33658. */
const SECONDS_MAX = 1_000_000_000_000n;
/**
 * 0000-01-01T00:00:00Z and the first moment of year 10000, in milliseconds: RFC 3339 has four
 * digits.
 */
const YEAR_0_MS = -62_167_219_200_000n;
const YEAR_10000_MS = 253_402_300_800_000n;
/** The text that the reference puts into the statement's result. */
const YEAR_TEXT = "Time.MarshalText: year outside of range [0,9999]";
const ZONE_TEXT = "Time.MarshalText: timezone hour outside of range [0,23]";
/** A nanosecond is the smallest step; more digits are cut off. */
const FRACTION_DIGITS_MAX = 9;

/**
 * `YYYY-MM-DD`, then perhaps a blank or `T` and `H:MM`, then perhaps `:SS`, then perhaps a fraction
 * and perhaps a zone. The zone needs seconds before it, because no accepted form has one without.
 */
const DATE_TEXT =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?([+-]\d\d:\d\d)?)?)?$/;

const DAYS_OF_MONTH: readonly number[] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FEBRUARY = 2;
const MONTHS = 12;
const HOURS = 24;
/** Minutes of an hour, and seconds of a minute. */
const SIXTY = 60;

/**
 * Writes a date text as RFC 3339; a text that is no date becomes `0001-01-01T00:00:00Z`.
 *
 * @throws `SQLITE_STATEMENT_FAILED` for a zone of 24 hours, which is read but cannot be written.
 */
export function renderDateText(text: string): string {
  const match = DATE_TEXT.exec(text.endsWith("Z") ? text.slice(0, -1) : text);
  if (match === null) return NO_DATE;
  const [, year = "", month = "", day = "", hour = "00", minute = "00", second = "00"] = match;
  if (!isDay(Number(year), Number(month), Number(day))) return NO_DATE;
  if (Number(hour) >= HOURS || Number(minute) >= SIXTY || Number(second) >= SIXTY) return NO_DATE;
  const zone = match[8] === undefined ? "Z" : renderZone(match[8]);
  if (zone === undefined) return NO_DATE;
  const fraction = (match[7] ?? "").slice(0, FRACTION_DIGITS_MAX).replace(/0+$/, "");
  const clock = `${hour.padStart(2, "0")}:${minute}:${second}`;
  return `${year}-${month}-${day}T${clock}${fraction === "" ? "" : `.${fraction}`}${zone}`;
}

/**
 * Writes a number of seconds or milliseconds since 1970 as RFC 3339 in UTC.
 *
 * @throws `SQLITE_STATEMENT_FAILED` for a year before 0 or after 9999.
 */
export function renderDateNumber(value: bigint): string {
  const isMs = value > SECONDS_MAX || value < -SECONDS_MAX;
  const ms = isMs ? value : value * 1000n;
  if (ms < YEAR_0_MS || ms >= YEAR_10000_MS) throw unwritable(YEAR_TEXT);
  return new Date(Number(ms)).toISOString().replace(/\.?0*Z$/, "Z");
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > MONTHS || day < 1) return false;
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === FEBRUARY && isLeap ? 29 : (DAYS_OF_MONTH[month] ?? 0);
  return day <= days;
}

/**
 * The zone as it is written, or undefined if it is none. The reference accepts 24 hours and 60
 * minutes.
 */
function renderZone(zone: string): string | undefined {
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4));
  if (hours > HOURS || minutes > SIXTY) return undefined;
  const total = hours * SIXTY + minutes;
  if (total === 0) return "Z";
  if (total >= HOURS * SIXTY) throw unwritable(ZONE_TEXT);
  const written = [Math.trunc(total / SIXTY), total % SIXTY];
  return `${zone[0]}${written.map((part) => String(part).padStart(2, "0")).join(":")}`;
}

function unwritable(text: string): CairnError {
  return new CairnError("SQLITE_STATEMENT_FAILED", `sqlite: date: ${text}`, { details: { text } });
}
