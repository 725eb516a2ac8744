/**
 * A lab's report as one HTML page that needs no network: the plot, and all of its numbers.
 */
import { calibrationLines } from "./lab-calibrate.ts";
import { verdictOf } from "./lab-merge.ts";
import type { LabReport } from "./lab-report.ts";
import { pointName, predictionLines, shortNumber, unclearLines, withUnit } from "./lab-text.ts";
import { plotSvg } from "./plot.ts";
import { escaped } from "./plot-style.ts";

const STYLE = `
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.2rem; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.quiet { color: var(--quiet); }
.scroll { overflow-x: auto; }
.plot { min-width: 40rem; } .plot svg { display: block; width: 100%; height: auto; }
.verdict { border-left: 4px solid var(--s0); padding-left: 0.8rem; font-size: 1.05rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.92rem; }
th, td { text-align: right; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
:focus-visible { outline: 3px solid var(--s0); outline-offset: 2px; }
`;

/** The whole page. */
export function plotPage(report: LabReport): string {
  const { id, title, question, about } = report;
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<link rel="icon" href="data:,">',
    `<title>${escaped(`${id} ${title}`)}</title><style>${STYLE}</style></head><body><main>`,
    `<p class="quiet">${escaped(id)}, ${escaped(report.measuredAt.slice(0, 10))}</p>`,
    `<h1>${escaped(title)}</h1>`,
    `<p>${escaped(question)}</p>`,
    `<p class="verdict">${escaped(predictionLines(report).join(" "))}</p>`,
    '<div class="scroll" tabindex="0" role="region" aria-label="Plot"><div class="plot">',
    plotSvg(report),
    "</div></div>",
    `<p class="quiet">${escaped(legend(report))}</p>`,
    report.mineProblem === undefined ? "" : `<p>${escaped(report.mineProblem)}</p>`,
    "<h2>Numbers</h2>",
    numbers(report),
    figures(report),
    "<h2>Expected shape</h2>",
    shape(report),
    ...unclearLines(report).map((line) => `<p class="quiet">${escaped(line)}</p>`),
    "<h2>How it was measured</h2>",
    `<p>${escaped(about)}</p>`,
    `<ul>${calibrationLines(report.calibration)
      .map((line) => `<li>${escaped(line)}</li>`)
      .join("")}</ul>`,
    `<p class="quiet">${escaped(`Rounds: ${report.reference.rounds}. Work ${report.reference.workHash}.`)}</p>`,
    "</main></body></html>",
    "",
  ].join("\n");
}

function legend({ mine, prediction, pointLabel }: LabReport): string {
  const subjects =
    mine === undefined
      ? "The lines are the reference: there is no code of yours to measure."
      : "Thick lines and filled markers: your code. Thin lines and hollow markers: the reference.";
  const predicted = prediction.value === undefined ? "" : " Dotted: your prediction.";
  const labels = pointLabel === undefined ? "" : ` The number beside a point: ${pointLabel}.`;
  return `${subjects}${labels} Bars: from the lowest round to the highest.${predicted}`;
}

function numbers(report: LabReport): string {
  const { mine, reference, x, y } = report;
  const head = [
    "line",
    x.label,
    ...(mine === undefined ? [] : ["yours"]),
    "reference",
    ...(mine === undefined ? [] : ["yours / reference"]),
  ];
  const lines = reference.series.flatMap(({ name, points }) => {
    const own = mine?.series.find((one) => one.name === name)?.points;
    return points.map((point, index) => {
      const other = own?.[index];
      const first = mine === undefined ? [] : [other === undefined ? "" : shortNumber(other.y)];
      const last =
        mine === undefined
          ? []
          : [other === undefined || point.y === 0 ? "" : shortNumber(other.y / point.y)];
      return [
        name,
        pointName(report, { point, own: other }, ""),
        ...first,
        shortNumber(point.y),
        ...last,
      ];
    });
  });
  return table({ name: "Numbers", caption: y.unit === "" ? y.label : `${y.label}, ${y.unit}` }, [
    head,
    ...lines,
  ]);
}

/** The figures that have no place in the plot. Empty where there are none. */
function figures({ mine, reference }: LabReport): string {
  if (reference.figures === undefined) return "";
  const head = ["figure", "of", ...(mine === undefined ? [] : ["yours"]), "reference"];
  const lines = reference.figures.map((figure, index) => {
    const own = mine?.figures?.[index];
    const first = own === undefined ? "" : withUnit(own.median, own.unit);
    const last = withUnit(figure.median, figure.unit);
    return [figure.kind, figure.name, ...(mine === undefined ? [] : [first]), last];
  });
  return `<h2>Besides the plot</h2>${table({ name: "Besides the plot", caption: "" }, [head, ...lines])}`;
}

/** The first row is the head. */
function table(
  { name, caption }: { readonly name: string; readonly caption: string },
  rows: readonly (readonly string[])[],
): string {
  const cells = (tag: string, of: readonly string[]): string =>
    `<tr>${of.map((text) => `<${tag}>${escaped(text)}</${tag}>`).join("")}</tr>`;
  const [head = [], ...lines] = rows;
  const above = caption === "" ? "" : `<caption class="quiet">${escaped(caption)}</caption>`;
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(name)}">` +
    `<table>${above}<thead>${cells("th", head)}</thead>` +
    `<tbody>${lines.map((line) => cells("td", line)).join("")}</tbody></table></div>`
  );
}

function shape({ mine, reference }: LabReport): string {
  const items = reference.shape.map(({ claim, held }, index) => {
    const own = mine?.shape[index];
    const mineText =
      mine === undefined || own === undefined ? "" : `yours: ${verdictOf(own.held, mine.rounds)}; `;
    return `<li>${escaped(claim)} <strong>${mineText}reference: ${verdictOf(held, reference.rounds)}</strong></li>`;
  });
  return `<ul>${items.join("")}</ul>`;
}
