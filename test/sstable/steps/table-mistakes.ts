/**
 * What readers get wrong in a table that nothing happens to: steps 03.3, 03.4 and 03.8.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { ofTrap, one } from "./mistake.ts";

const FINDS = "every key is found at every sequence, and no other key is";
const ORDER_CHECK = `      if (last !== null && compareVersions(last, place) >= 0) {
        throw new RangeError(\`sstable: entry \${offsets.length} is not behind the one before it\`);
      }
`;

export const tableMistakes: readonly StepMistake[] = [
  ofTrap(
    "T14",
    one(
      "03.3",
      "S7",
      "an index entry for each key",
      "the index has one entry for each block, not for each key",
      [
        "writer.ts",
        "this.#contentBytesMax = blockBytes - TRAILER_BYTES;",
        "this.#contentBytesMax = blockBytes * 0;",
      ],
    ),
  ),
  one(
    "03.3",
    "S8",
    "the separator is the first key of a block",
    FINDS,
    [
      "writer.ts",
      "const separator = this.#keys.at(-1)!;",
      "const separator = readBlock(this.#block.finish())[0]!.key;",
    ],
    [
      "writer.ts",
      "import { createBlockBuilder }",
      'import { readBlock } from "./block-reader.ts";\nimport { createBlockBuilder }',
    ],
    [
      "block-builder.ts",
      "      return entries.finish();",
      "      return entries.finish().slice();",
    ],
  ),
  one("03.3", "S8", "the largest key counts as outside", FINDS, [
    "table.ts",
    "compareBytes(key, this.meta.largest) > 0) return ABSENT;",
    "compareBytes(key, this.meta.largest) >= 0) return ABSENT;",
  ]),
  one("03.3", "S8", "the search of the index goes one block too far", FINDS, [
    "sparse-index.ts",
    "compareBytes(entries[middle]!.separator, key) < 0",
    "compareBytes(entries[middle]!.separator, key) <= 0",
  ]),
  one(
    "03.3",
    "S8",
    "nobody says that the versions of a key go on in the next block",
    "versions of a key that go on in the next block are found, the oldest too",
    [
      "writer.ts",
      "const goesOn = next !== null && equalBytes(next, separator);",
      "const goesOn = next !== null && next === separator;",
    ],
  ),
  one(
    "03.3",
    "S1",
    "a full block says so before it looks at the order",
    "the order holds from block to block, and a table without entries is refused",
    ["block-builder.ts", ORDER_CHECK, ""],
    [
      "block-builder.ts",
      "      offsets.push(entries.length);\n",
      `${ORDER_CHECK}      offsets.push(entries.length);\n`,
    ],
  ),
  one(
    "03.3",
    "S7",
    "opening reads the whole file",
    "a lookup that finds its key reads one data block, and opening reads none",
    [
      "table-file.ts",
      "return { path, handle, bytes: handle.size() };",
      "const all = new Uint8Array(handle.size());\n  return { path, handle, bytes: handle.read(0, all) };",
    ],
  ),
  one("03.3", "S8", "a lookup takes the first version, however new", FINDS, [
    "table.ts",
    "seekInBlock(content, key, at)",
    "seekInBlock(content, key, Math.max(at, NEWEST))",
  ]),
  ofTrap(
    "T16",
    one(
      "03.4",
      "S6",
      "the hash of a probe may become negative",
      "none of 10,000 keys that were added is denied",
      ["bloom.ts", "hash = (hash + b) >>> 0;", "hash = (hash + b) | 0;"],
      [
        "bloom.ts",
        "yield hash % bits;",
        "yield Math.abs(hash) % bits === hash ? hash % bits : hash;",
      ],
    ),
  ),
  ofTrap(
    "T16",
    one(
      "03.4",
      "S6",
      "the step from probe to probe may be even",
      "the probes of a key are all different bits",
      ["bloom.ts", "(b | 1) >>> 0", "b >>> 0"],
    ),
  ),
  ofTrap(
    "T16",
    one(
      "03.4",
      "S9",
      "a product leaves the 32 bits",
      "the two hashes of a key are those of the format",
      ["bloom.ts", "a = Math.imul(a ^ word, MIX_A);", "a = (a ^ word) * MIX_A;"],
    ),
  ),
  one(
    "03.4",
    "S6",
    "one probe is taken to be enough",
    "false positives are as many as the formula says, within 30 %",
    ["bloom.ts", "Math.max(1, Math.round(bitsPerKey * Math.LN2))", "Math.round(Math.LN2)"],
  ),
  ofTrap(
    "T15",
    one(
      "03.4",
      "S6",
      "ten times fewer false positives are taken to need ten times the bits",
      "ten times fewer false positives cost 4.79 bits per key, each time",
      ["bloom.ts", "Math.log(1 / falsePositives) / Math.LN2 ** 2", "0.479 / falsePositives"],
    ),
  ),
  one(
    "03.4",
    "S4",
    "the number of probes is believed",
    "a filter block of nonsense is refused, and no bytes are no filter",
    ["bloom.ts", "if (probes < 1 || probes > PROBES_MAX)", "if (probes > 255)"],
  ),
  one(
    "03.4",
    "S6",
    "the filter is made, and never asked",
    "a table asks its filter before it reads, and finds every key of its own",
    ["table.ts", "!this.#filter.mayContain(key)) {", "key.length === 0) {"],
  ),
  one(
    "03.4",
    "S9",
    "the filter is made of versions, not of keys",
    "the filter block of a table has the bytes of the format",
    [
      "writer.ts",
      "if (this.#tally.add({ key, value, sequence })) this.#keys.push(key.slice());",
      "this.#tally.add({ key, value, sequence });\n    for (let i = 0; i < 3; i += 1) this.#keys.push(key.slice());",
    ],
  ),
  one(
    "03.8",
    "S8",
    "the upper bound is included",
    "a scan that ends before the first key of a block does not give that key",
    [
      "scan.ts",
      "compareBytes(key, before) >= 0) return;",
      "compareBytes(key, before) > 0) return;",
    ],
  ),
  one(
    "03.8",
    "S8",
    "a scan backwards begins at its upper bound",
    "a scan that ends before the first key of a block does not give that key",
    ["scan.ts", "else cursor.seekBefore(before);", "else cursor.seek(before);"],
  ),
  one(
    "03.8",
    "S8",
    "a scan backwards has no lower bound",
    "every range is what the list has in it, empty and turned round ones included",
    ["scan.ts", "compareBytes(key, from) < 0) return;", "compareBytes(key, from) < -1) return;"],
  ),
  one(
    "03.8",
    "S8",
    "a seek does not go on behind the last key of its block",
    "seeks are exact in a table whose separators lie between its keys",
    [
      "cursor.ts",
      "    this.#at = this.#countBelow(key);\n    if (this.#at === this.#versions.length) this.#enterNext();",
      "    this.#at = this.#countBelow(key);",
    ],
  ),
  one(
    "03.8",
    "S8",
    "seekBefore stays in the block of its key",
    "seek and seekBefore lead to a key's neighbours, at the edges of blocks too",
    [
      "cursor.ts",
      "    this.#at = this.#countBelow(key) - 1;\n    if (this.#at < 0) this.#enterPrevious();",
      "    this.#at = this.#countBelow(key) - 1;",
    ],
  ),
  one(
    "03.8",
    "S8",
    "going back enters a block at its beginning",
    "a cursor walks over every version both ways, and turns round anywhere",
    [
      "cursor.ts",
      "    this.#enter(this.#block - 1);\n    this.#at = this.#versions.length - 1;",
      "    this.#enter(this.#block - 1);\n    this.#at = 0;",
    ],
  ),
  one(
    "03.8",
    "S3",
    "a cursor that met damage stays where it was",
    "a cursor that meets damage throws, and stands at no version afterwards",
    ["cursor.ts", "    this.#versions = [];\n    this.#block = block;", "    this.#block = block;"],
  ),
];
