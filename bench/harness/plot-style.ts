/**
 * How lines are told apart: by colour, by dashes, by the shape of the marker, and by a name at
 * their end. Any one of the four is enough.
 *
 * The colours can be told apart with the common kinds of colour blindness, and stand out from a
 * light page and from a dark one.
 */

/** Dashes of the lines, in order. The first is solid. */
const DASHES = ["", "9 4", "2 4", "12 4 2 4", "6 3", "14 6", "3 3", "8 3 2 3 2 3"];

const MARKERS = [
  "circle",
  "square",
  "triangle",
  "diamond",
  "cross",
  "circle",
  "square",
  "triangle",
];

/** How many lines look different from each other. More begin anew. */
export const STYLES: number = DASHES.length;

/** Where colours begin anew, dashes and markers are others than those of the first with it. */
function lookOf(index: number): number {
  return (index + 3 * Math.floor(index / STYLES)) % STYLES;
}

/** The dashes of a line. */
export function dashOf(index: number): string {
  const dash = DASHES[lookOf(index)] ?? "";
  return dash === "" ? "" : ` stroke-dasharray="${dash}"`;
}

/** A marker; `currentColor` is the line's. */
export function marker(
  index: number,
  at: { readonly x: number; readonly y: number; readonly size: number; readonly isHollow: boolean },
): string {
  const { x, y, size } = at;
  const fill = at.isHollow ? "var(--page)" : "currentColor";
  const look = `fill="${fill}" stroke="currentColor" stroke-width="1.5"`;
  const s = size;
  switch (MARKERS[lookOf(index)]) {
    case "square":
      return `<rect x="${r(x - s)}" y="${r(y - s)}" width="${2 * s}" height="${2 * s}" ${look}/>`;
    case "triangle":
      return path(
        `M${r(x)} ${r(y - s * 1.2)}L${r(x + s * 1.15)} ${r(y + s)}H${r(x - s * 1.15)}Z`,
        look,
      );
    case "diamond":
      return path(
        `M${r(x)} ${r(y - s * 1.3)}L${r(x + s * 1.3)} ${r(y)}L${r(x)} ${r(y + s * 1.3)}L${r(x - s * 1.3)} ${r(y)}Z`,
        look,
      );
    case "cross":
      return path(
        `M${r(x - s)} ${r(y - s)}L${r(x + s)} ${r(y + s)}M${r(x + s)} ${r(y - s)}L${r(x - s)} ${r(y + s)}`,
        `fill="none" stroke="currentColor" stroke-width="2.5"`,
      );
    default:
      return `<circle cx="${r(x)}" cy="${r(y)}" r="${s}" ${look}/>`;
  }
}

function path(d: string, look: string): string {
  return `<path d="${d}" ${look}/>`;
}

function r(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Colours and text of the plot, for light and dark. Stands inside the SVG too. */
export const PLOT_STYLE: string = `
:root { color-scheme: light dark; --page: #ffffff; --text: #1b1b1b; --quiet: #565656; --line: #dedede;
  --s0: #0063a0; --s1: #c04a00; --s2: #007a58; --s3: #9b3f83; --s4: #8a6100; --s5: #1f7fb8;
  --s6: #5b5b5b; --s7: #b3202e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #17191c; --text: #ececec; --quiet: #b0b0b0; --line: #383b40;
    --s0: #63bcf0; --s1: #ff9257; --s2: #3ecba2; --s3: #e59ccb; --s4: #e8bd4f; --s5: #9ad3f5;
    --s6: #c4c4c4; --s7: #ff8087; }
}
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); }
.s4 { color: var(--s4); } .s5 { color: var(--s5); } .s6 { color: var(--s6); } .s7 { color: var(--s7); }
svg text { fill: var(--quiet); font: 13px system-ui, sans-serif; }
svg .strong { fill: var(--text); font-weight: 600; }
svg .name { fill: currentColor; font-weight: 600; }
svg .grid { stroke: var(--line); } svg .frame { stroke: var(--quiet); fill: none; }
svg .halo { paint-order: stroke; stroke: var(--page); stroke-width: 5; stroke-linejoin: round; }
svg .cross { stroke: var(--text); stroke-width: 2.5; }
svg .page { fill: var(--page); }
svg .prediction { stroke: var(--text); stroke-width: 2.5; stroke-dasharray: 3 6; fill: none;
  stroke-linecap: round; }
`;

/** Text that may stand between tags and in attributes. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
