/**
 * How the book's Markdown becomes pages, where that differs from what VitePress does by itself.
 *
 * The pages are plain Markdown that also reads on its own. So links between files are turned into
 * links between pages; a link to a file that is no page (code, a folder) becomes its name; fences
 * that quote a file say which; `---` divides slides.
 */
import { existsSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { BOOK, chapterRewrites } from "./pages.ts";

type CoreRule = Parameters<MarkdownRenderer["core"]["ruler"]["push"]>[1];
type State = Parameters<CoreRule>[0];
type Token = State["tokens"][number];

/** Puts everything on. */
export function bookMarkdown(md: MarkdownRenderer): void {
  md.core.ruler.push("book-links", rewriteLinks);
  md.core.ruler.push("book-tables", wrapTables);
  md.core.ruler.push("book-slides", divideSlides);
  // Text is text: `{{` in prose is no expression.
  const text = md.renderer.rules.text;
  md.renderer.rules.text = (tokens, index, ...rest) =>
    (text?.(tokens, index, ...rest) ?? md.utils.escapeHtml(tokens[index]?.content ?? "")) //
      .replaceAll("{{", "&#123;&#123;");
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, ...rest) => {
    const token = tokens[index];
    const source = /^\w+ ((?:src|test|bench|chapters)\/\S+)/.exec(token?.info ?? "")?.[1];
    // What stands behind the language is ours: VitePress would take its first number for a line.
    if (token !== undefined) token.info = token.info.replace(/ .*/, "");
    const caption =
      source === undefined
        ? ""
        : `<p class="fence-source"><code>${md.utils.escapeHtml(source.replace("#", ", "))}</code></p>`;
    return caption + (fence?.(tokens, index, ...rest) ?? "");
  };
}

/** The anchor of a heading as it is on the sites that show the repository's Markdown. */
export function anchorOf(heading: string): string {
  return heading
    .replace(/`/g, "")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

/** The page that is being rendered, as a path below `chapters`. */
function pageOf(state: State): string {
  const { realPath, path } = state.env as { realPath?: string; path?: string };
  return relative(BOOK, realPath ?? path ?? "").replaceAll("\\", "/");
}

function rewriteLinks(state: State): void {
  const page = pageOf(state);
  for (const block of state.tokens) {
    const open: Token[] = [];
    for (const token of block.children ?? []) {
      if (token.type === "link_open") {
        rewriteLink(token, page);
        open.push(token);
      }
      const partner = token.type === "link_close" ? open.pop() : token;
      if (partner?.tag !== "span") continue;
      // A link that has become a name must not be rendered as a link.
      if (token.type === "link_close") token.tag = "span";
      token.type = token.type.replace("link", "name");
    }
  }
}

function rewriteLink(token: Token, page: string): void {
  const href = String(token.attrGet("href") ?? "");
  if (/^([a-z]+:|#)/.test(href)) return;
  const [path = "", anchor] = decodeURI(href).split("#");
  const file = normalize(join(dirname(page), path)).replaceAll("\\", "/");
  const target = siteAddress(file);
  if (target === undefined) {
    token.tag = "span";
    token.attrs = [
      ["class", "repo-path"],
      ["title", `${normalize(join("chapters", file))} in the repository`],
    ];
    return;
  }
  token.attrSet("href", anchor === undefined ? target : `${target}#${anchor}`);
}

/** Where a file of the book is on the site; undefined if it is no page. */
function siteAddress(file: string): string | undefined {
  if (file === "." || file === "index.md") return "/";
  if (file.startsWith("..") || /(^|\/)(starter|solution)(\/|$)/.test(file)) return undefined;
  const folder = file.replace(/\/$/, "");
  if (existsSync(join(BOOK, folder, "README.md"))) return `/${folder}/`;
  if (!file.endsWith(".md") || !existsSync(join(BOOK, file))) return undefined;
  const rewritten = chapterRewrites()[file] ?? file;
  return `/${rewritten.replace(/(^|\/)index\.md$/, "$1").replace(/\.md$/, "")}`;
}

/** Wide tables scroll inside themselves, also with the keyboard. */
function wrapTables(state: State): void {
  const wrapped: Token[] = [];
  for (const token of state.tokens) {
    if (token.type === "table_open") wrapped.push(html(state, TABLE_OPEN));
    wrapped.push(token);
    if (token.type === "table_close") wrapped.push(html(state, "</div>\n"));
  }
  state.tokens = wrapped;
}

const TABLE_OPEN = '<div class="table-scroll" tabindex="0" role="region" aria-label="Table">\n';

/** On a page of slides, `---` ends one, and a comment with notes becomes something to open. */
function divideSlides(state: State): void {
  if (!pageOf(state).endsWith("/slides.md")) return;
  const parts: Token[] = [html(state, '<section class="slide">\n')];
  for (const token of state.tokens) {
    const notes = token.type === "html_block" ? NOTES.exec(token.content)?.[1] : undefined;
    if (token.type === "hr") parts.push(html(state, '</section>\n<section class="slide">\n'));
    else if (notes !== undefined) {
      const body = state.md.utils.escapeHtml(notes.trim()).replaceAll("{{", "&#123;&#123;");
      parts.push(html(state, `<details class="notes"><summary>Notes</summary>${body}</details>\n`));
    } else parts.push(token);
  }
  parts.push(html(state, "</section>\n"));
  state.tokens = parts;
}

const NOTES = /^<!--\s*notes:([\s\S]*?)-->\s*$/;

function html(state: State, content: string): Token {
  const token = new state.Token("html_block", "", 0);
  token.content = content;
  return token;
}
