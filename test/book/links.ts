/**
 * Links of built pages, looked up without a browser: where they lead, and whether that is there.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** What a page names, by the attribute that names it. */
interface Named {
  readonly tag: string;
  readonly target: string;
}

/** Everything that a page links to or loads. */
function namedBy(html: string): Named[] {
  return [...html.matchAll(/<(\w+)\b[^>]*?\s(?:href|src)="([^"]*)"/g)].map((match) => ({
    tag: match[1] ?? "",
    target: (match[2] ?? "").replaceAll("&amp;", "&"),
  }));
}

/** Links to nothing, and what would be loaded from elsewhere. */
export function badLinks(outDir: string, page: string): string[] {
  const html = readFileSync(join(outDir, page), "utf8");
  return namedBy(html).flatMap(({ tag, target }) => {
    if (/^(data|mailto):/.test(target)) return [];
    if (/^([a-z]+:)?\/\//.test(target)) {
      return tag === "a" ? [] : [`${page}: <${tag}> loads ${target}`];
    }
    return isThere(outDir, page, target) ? [] : [`${page}: <${tag}> leads to ${target}`];
  });
}

function isThere(outDir: string, page: string, target: string): boolean {
  const [path = "", anchor = ""] = decodeURIComponent(target).split("#");
  const whole = path.startsWith("/") ? path.slice(1) : normalize(join(dirname(page), path));
  const wanted =
    path === "" ? page : whole === "" || whole.endsWith("/") ? `${whole}index.html` : whole;
  const file = [wanted, `${wanted}.html`].find((one) => existsSync(join(outDir, one)));
  if (file === undefined) return false;
  if (anchor === "" || !file.endsWith(".html")) return true;
  const html = readFileSync(join(outDir, file), "utf8");
  return html.includes(`id="${anchor}"`);
}
