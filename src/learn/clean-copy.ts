/**
 * A copy of the repository in which the reader's code is judged for a certificate: what git has not
 * kept, and what a run has left behind, takes no part.
 *
 * Invariant: it lies inside of `work/.cairn`, so that packages are found above it, and it holds
 * only files that the judging process reads.
 */
import { type Book, type BookChapter, workFolder } from "./book.ts";
import { copyFolder, createFile, join, namesIn, readBytes, removeFolder } from "./files.ts";

const FILES: readonly string[] = ["package.json", "tsconfig.json"];
const FOLDERS: readonly string[] = ["src", "test"];

/** Makes the copy. @returns its folder, which the caller removes. */
export function copyForCertificate(book: Book, chapters: readonly BookChapter[]): string {
  const parent = join(book.root, "work/.cairn/certify");
  // One that a killed run has left.
  removeFolder(book.disk, parent);
  for (const file of FILES) {
    createFile(book.disk, join(parent, file), readBytes(book.disk, join(book.root, file)));
  }
  for (const folder of FOLDERS)
    copyFolder(book.disk, join(book.root, folder), join(parent, folder));
  for (const name of namesIn(book.disk, join(book.root, "chapters")) ?? []) {
    if (!/^\d\d-[a-z]+$/.test(name)) continue;
    const chapter = join("chapters", name);
    copyFolder(book.disk, join(book.root, chapter), join(parent, chapter));
  }
  for (const chapter of chapters) {
    copyFolder(book.disk, workFolder(book, chapter), join(parent, "work", chapter.module));
  }
  return parent;
}
