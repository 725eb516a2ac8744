/**
 * What readers get wrong where something happens to a file: steps 03.5, 03.6 and 03.7.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { ofTrap, one } from "./mistake.ts";

const CUTS = "after a power cut at any point there is no table, or a whole one";

export const damageMistakes: readonly StepMistake[] = [
  ofTrap(
    "T13",
    one(
      "03.5",
      "S3",
      "only the magic of the footer is looked at",
      "whichever bit is flipped: a right answer or SSTABLE_CORRUPT, and verify notices",
      ["trailer.ts", "!== stored)", "< 0)"],
    ),
  ),
  one(
    "03.5",
    "S3",
    "the checksum does not know its offset",
    "two blocks that have changed places are noticed",
    ["trailer.ts", "(offset % U32_VALUES)", "(0 % U32_VALUES)"],
  ),
  one(
    "03.5",
    "S3",
    "the checksum does not know its table",
    "a block of another table, and another table in this one's place, are noticed",
    ["trailer.ts", "putU64(idBytes, 0, id);", "putU64(idBytes, 0, 0 * id);"],
  ),
  one(
    "03.5",
    "S3",
    "the footer may name another table",
    "a block of another table, and another table in this one's place, are noticed",
    ["table-file.ts", "if (footer.id !== id)", "if (footer.id < 1)"],
    [
      "table-file.ts",
      "openSealed(sealed, { id, offset })",
      "openSealed(sealed, { id: idIn(file), offset })",
    ],
    [
      "table-file.ts",
      "function readBytes(",
      "function idIn(file: TableFile): number {\n  return decodeFooter(readBytes(file, file.bytes - FOOTER_BYTES, FOOTER_BYTES)).id;\n}\n\nfunction readBytes(",
    ],
  ),
  one(
    "03.5",
    "S9",
    "the checksum leaves out the type",
    "the reference reads this table, version by version, and finds nothing wrong",
    [
      "trailer.ts",
      "blockChecksum(sealed.subarray(0, checksumAt), place));",
      "blockChecksum(content, place));",
    ],
    [
      "trailer.ts",
      "if (blockChecksum(sealed.subarray(0, checksumAt), place)",
      "if (blockChecksum(sealed.subarray(0, checksumAt - 1), place)",
    ],
  ),
  one(
    "03.5",
    "S3",
    "the footer is looked for in front of a short file",
    "a table that is cut off anywhere, or has a byte too many, does not open",
    ["table-file.ts", "Math.max(0, file.bytes - FOOTER_BYTES)", "file.bytes - FOOTER_BYTES"],
  ),
  one(
    "03.5",
    "S3",
    "verify reads the first block and no other",
    "whichever bit is flipped: a right answer or SSTABLE_CORRUPT, and verify notices",
    ["verify.ts", "for (const entry of index) {", "for (const entry of index.slice(0, 1)) {"],
    [
      "verify.ts",
      "  soundAt(at(footer.properties.offset), () => checkCounts(tally.properties(), properties));",
      "  if (tally.properties().entries > properties.entries) checkCounts(tally.properties(), properties);",
    ],
  ),
  ofTrap(
    "T13",
    one(
      "03.6",
      "S4",
      "the footer's places are believed",
      "a footer that lies about places is refused before anything is read for it",
      ["table-file.ts", "    checkPlaces(footer, file.bytes);\n", ""],
    ),
  ),
  one(
    "03.6",
    "S4",
    "the index's sizes are believed",
    "an index that lies about its blocks is refused",
    [
      "sparse-index.ts",
      `    if (offset > dataBytes) malformed(\`block \${block} ends behind the data\`);\n`,
      "",
    ],
    [
      "sparse-index.ts",
      `  if (offset !== dataBytes) malformed(\`the blocks end at \${offset}, the data at \${dataBytes}\`);\n`,
      "",
    ],
  ),
  one(
    "03.6",
    "S4",
    "a value is cut out without a look at where its block ends",
    "an entry that claims more bytes than its block has is refused, not cut short",
    [
      "block-reader.ts",
      `  if (next > entriesEnd) malformed(\`the entry at \${offset} ends behind the entries\`);\n`,
      "",
    ],
  ),
  one(
    "03.6",
    "S4",
    "the number of restarts is believed",
    "restarts that lie end in a right answer or in SSTABLE_CORRUPT",
    [
      "block-reader.ts",
      `  if (count < 1 || count > block.length / U32_BYTES - 1) malformed(\`\${count} restarts\`);\n`,
      "",
    ],
  ),
  one(
    "03.6",
    "S3",
    "what a decoder stumbles over comes out as it is",
    "2,400 files that nobody wrote end in right answers or in SSTABLE_CORRUPT",
    [
      "table.ts",
      "return soundAt({ file: this.#file.path, offset: handle.offset }, () => look(content));",
      "return look(content);",
    ],
  ),
  ofTrap(
    "T12",
    one(
      "03.7",
      "S5",
      "the table is written under its final name",
      CUTS,
      ["output.ts", "const temporary = path + TEMPORARY_SUFFIX;", "const temporary = path;"],
      ["output.ts", "      disk.rename(temporary, path);\n", ""],
    ),
  ),
  one("03.7", "S5", "the file is renamed before its content is synced", CUTS, [
    "output.ts",
    "      handle.sync();\n      handle.close();\n      disk.rename(temporary, path);\n",
    "      disk.rename(temporary, path);\n      handle.sync();\n      handle.close();\n",
  ]),
  one(
    "03.7",
    "S5",
    "the directory is not synced",
    "when finish has returned, the table survives the loss of power",
    ["output.ts", "      disk.syncDir(directoryOf(path));\n", ""],
  ),
  one(
    "03.7",
    "S5",
    "the content is never synced",
    "when finish has returned, the table survives the loss of power",
    ["output.ts", "      handle.sync();\n", ""],
  ),
  ofTrap(
    "T12",
    one(
      "03.7",
      "S5",
      "a temporary file that is there already stops the writer",
      "what a crash left behind is overwritten, however long it is",
      ["output.ts", 'disk.open(temporary, "read-write")', 'disk.open(temporary, "create-new")'],
    ),
  ),
  one(
    "03.7",
    "S5",
    "a longer file that a crash left behind is not cut",
    "what a crash left behind is overwritten, however long it is",
    ["output.ts", "    handle.truncate(0);\n", ""],
  ),
  one(
    "03.7",
    "S5",
    "giving up closes the file and leaves it there",
    "when the disk fails, the error comes out, and giving up leaves no file behind",
    ["output.ts", "if (disk.exists(name)) disk.unlink(name);", "disk.exists(name);"],
  ),
];
