/**
 * Which pages the book has, what they are called, and where they stand in the sidebar.
 *
 * Invariant: only files that exist are named, so that a chapter appears page by page as it is
 * written.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DefaultTheme } from "vitepress";

/** `chapters`, the source of the book. */
export const BOOK: string = dirname(dirname(fileURLToPath(import.meta.url)));

/** The pages of a chapter besides `README.md`, in the order in which they are read. */
const PAGES: readonly (readonly [file: string, label: string])[] = [
  ["contract.md", "Contract"],
  ["scenarios.md", "Scenarios"],
  ["hints.md", "Hints"],
  ["bench.md", "Bench"],
  ["compare.md", "Compare"],
  ["notes.md", "Notes on the solution"],
  ["facilitator.md", "Teach"],
  ["slides.md", "Slides"],
];

const APPENDIX: readonly (readonly [file: string, label: string])[] = [
  ["formats.md", "Formats"],
  ["configuration.md", "Configuration"],
  ["errors.md", "Errors"],
  ["decisions.md", "Decisions"],
  ["http-api.md", "The HTTP API"],
  ["rqlite-differences.md", "Differences from rqlite"],
  ["glossary.md", "Glossary"],
  ["writing-chapters.md", "How a chapter is made"],
];

/** Folders of chapters, such as `01-wal`, in order. */
export function chapterFolders(): string[] {
  return readdirSync(BOOK, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^\d\d-[a-z]+$/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** A chapter's `README.md` is the page of its folder. */
export function chapterRewrites(): Record<string, string> {
  return Object.fromEntries(
    chapterFolders()
      .filter((folder) => existsSync(join(BOOK, folder, "README.md")))
      .map((folder) => [`${folder}/README.md`, `${folder}/index.md`]),
  );
}

/** Pages that give a step's answer away. */
export function isSpoiler(page: string): boolean {
  return /^\d\d-[a-z]+\/(hints|notes|facilitator|slides)\.md$/.test(page);
}

/** The whole sidebar. */
export function sidebar(): DefaultTheme.SidebarItem[] {
  return [
    { text: "The workbook", link: "/" },
    ...chapterFolders().map(chapterItem),
    {
      text: "Appendix",
      collapsed: true,
      items: APPENDIX.filter(([file]) => existsSync(join(BOOK, "appendix", file))).map(
        ([file, text]) => ({ text, link: `/appendix/${file.replace(/\.md$/, "")}` }),
      ),
    },
  ];
}

function chapterItem(folder: string): DefaultTheme.SidebarItem {
  const has = (file: string): boolean => existsSync(join(BOOK, folder, file));
  const read = has("README.md") ? [{ text: "Read", link: `/${folder}/` }] : [];
  const pages = PAGES.filter(([file]) => has(file)).map(([file, text]) => ({
    text,
    link: `/${folder}/${file.replace(/\.md$/, "")}`,
  }));
  // Bugs are read after the steps, before the answers.
  const place = pages.findIndex(({ link }) => /\/(notes|facilitator|slides)$/.test(link));
  pages.splice(place === -1 ? pages.length : place, 0, ...bugItems(folder));
  return { text: chapterTitle(folder), collapsed: true, items: [...read, ...pages] };
}

function bugItems(folder: string): { text: string; link: string }[] {
  const dir = join(BOOK, folder, "bugs");
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(".md"))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => {
      const id = name.replace(/\.md$/, "");
      return { text: `Find the bug: ${id}`, link: `/${folder}/bugs/${id}` };
    });
}

/** `01 The write-ahead log`, as the chapter's own list of steps calls it, or else its contract. */
function chapterTitle(folder: string): string {
  const number = folder.slice(0, 2);
  const textOf = (file: string): string | undefined => {
    const path = join(BOOK, folder, file);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
  const steps = textOf("steps.json");
  const fromSteps = steps === undefined ? undefined : (JSON.parse(steps) as { title?: string });
  const heading = /^# (?:\d\d )?(.*?)(?:: the contract)?$/m.exec(textOf("contract.md") ?? "");
  return `${number} ${fromSteps?.title ?? heading?.[1] ?? folder.slice(3)}`;
}
