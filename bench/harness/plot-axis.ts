/**
 * An axis of a plot: where a value lies, and which values get a line and a number.
 */
import type { LabAxis } from "./lab-types.ts";

/** An axis with a place for each value, in the plot's own units. */
export interface PlotAxis {
  at(value: number): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** More than this, and the measured places are no readable ticks. */
const OWN_TICKS_MAX = 9;
const DECADES_WITHOUT_STEPS = 3;
const LINEAR_TICKS = 6;
/** Numbers nearer to each other than this could not be read. */
const TEXT_ROOM = 34;

/**
 * Makes an axis.
 *
 * @param values - everything that must be on it; at least one.
 * @param from - where the axis begins, and `to` where it ends. `to` may be the smaller one.
 */
export function createAxis(
  axis: LabAxis,
  values: readonly number[],
  place: { readonly from: number; readonly to: number },
): PlotAxis {
  return axis.scale === "log" ? logarithmic(values, place) : linear(values, place);
}

/** The same, with ticks at the values themselves where they are few enough. */
export function createMeasuredAxis(
  axis: LabAxis,
  values: readonly number[],
  place: { readonly from: number; readonly to: number },
): PlotAxis {
  const made = createAxis(axis, values, place);
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const isShown = distinct.length <= OWN_TICKS_MAX && (axis.scale === "linear" || distinct[0]! > 0);
  if (!isShown) return made;
  let shown = Number.NEGATIVE_INFINITY;
  const ticks = distinct.map((value) => {
    const at = made.at(value);
    const hasRoom = Math.abs(at - shown) >= TEXT_ROOM;
    if (hasRoom) shown = at;
    return { at, text: hasRoom ? compact(value) : "" };
  });
  return { at: made.at, ticks };
}

/** `1`, `20`, `5k`, `1.5M`. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return Number(value.toPrecision(3)).toLocaleString("en-US");
}

function logarithmic(
  values: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): PlotAxis {
  const positive = values.filter((value) => value > 0);
  const smallest = positive.length === 0 ? 1 : Math.min(...positive);
  const largest = positive.length === 0 ? 10 : Math.max(...positive);
  // A little room at both ends, so that no marker sits on the frame.
  const low = Math.log10(smallest) - 0.08;
  const high = Math.max(low + 0.3, Math.log10(largest) + 0.08);
  const at = (value: number): number => {
    const power = value > 0 ? Math.log10(value) : low;
    return round(from + ((Math.max(low, power) - low) / (high - low)) * (to - from));
  };
  const steps = high - low <= DECADES_WITHOUT_STEPS ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
    for (const step of steps) {
      const value = step * 10 ** power;
      const isOn = Math.log10(value) >= low && Math.log10(value) <= high;
      if (isOn) ticks.push({ at: at(value), text: compact(value) });
    }
  }
  // Between 3 and 4 lies no 1, 2 or 5 of any power of ten.
  const even = ticks.length < 2 ? evenSteps(10 ** low, 10 ** high) : [];
  ticks.push(...even.map((value) => ({ at: at(value), text: compact(value) })));
  return { at, ticks };
}

function linear(
  values: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): PlotAxis {
  const low = Math.min(0, ...values);
  const top = Math.max(...values);
  const step = niceStep((top === low ? 1 : top - low) / LINEAR_TICKS);
  const high = Math.max(low + step, Math.ceil(top / step) * step);
  const at = (value: number): number => round(from + ((value - low) / (high - low)) * (to - from));
  const ticks = [];
  for (let index = Math.ceil(low / step); index * step <= high * 1.0001; index += 1) {
    ticks.push({ at: at(index * step), text: compact(index * step) });
  }
  return { at, ticks };
}

function evenSteps(from: number, to: number): number[] {
  const step = niceStep((to - from) / 4);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step);
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= least) ?? 10 * power;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
