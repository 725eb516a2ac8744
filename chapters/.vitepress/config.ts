/**
 * The book site: the pages of `chapters` as they are, with a sidebar, a search and a dark mode.
 *
 * Invariant: nothing is loaded from elsewhere, no page needs this site to be read, and what is not
 * Markdown of the book (starters, solutions) never becomes a page. `CAIRN_BOOK_BASE=/cairn/` builds
 * for a host that serves the book under that path.
 */
import { defineConfig } from "vitepress";
import { anchorOf, bookMarkdown } from "./markdown.ts";
import { chapterRewrites, isSpoiler, sidebar } from "./pages.ts";

export default defineConfig({
  title: "Cairn",
  titleTemplate: ":title · Cairn",
  description: "A workbook: from a byte on a disk to a replicated SQLite.",
  lang: "en",
  base: process.env["CAIRN_BOOK_BASE"] ?? "/",
  outDir: "../data/book",
  cacheDir: "../node_modules/.vitepress",
  srcExclude: ["**/starter/**", "**/solution/**"],
  rewrites: chapterRewrites(),
  // No icon: without this line a browser asks for one, and gets an error.
  head: [["link", { rel: "icon", href: "data:," }]],
  markdown: {
    config: bookMarkdown,
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    anchor: { slugify: anchorOf },
  },
  vite: { build: { chunkSizeWarningLimit: 2000 } },
  themeConfig: {
    nav: [
      { text: "Workbook", link: "/" },
      { text: "Glossary", link: "/appendix/glossary" },
      { text: "Errors", link: "/appendix/errors" },
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3], label: "On this page" },
    docFooter: { prev: "Before", next: "Next" },
    externalLinkIcon: true,
    search: {
      provider: "local",
      options: {
        // Whoever searches for a word must not land in the answer to a step.
        _render: (source, env, md) => {
          const html = md.render(source, env);
          return isSpoiler(env.relativePath) ? "" : html;
        },
      },
    },
  },
});
