/**
 * Files as they were when the format was made. Method: read them, and write the same again, byte by
 * byte. They are hex, so that a change of the format shows in a review.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as sstable from "#sstable";
import {
  checkLookups,
  checkScans,
  freshDisk,
  ID,
  made,
  type Options,
  PATH,
  replace,
} from "./lab.ts";
import { bytesOf, type Version } from "./model.ts";

const KEYS = ["", "apple", "applet", "apply", "bear", "bear", "beard", "zoo"];

/** Everything that the format has: an empty key, shared beginnings, versions, a deletion. */
const versions: readonly Version[] = KEYS.map((key, i) => ({
  key: bytesOf(key),
  value: i === 4 ? null : bytesOf(`${key} `.repeat(i * 3)),
  sequence: 1000 - i * 100,
}));

const TABLES: readonly { readonly name: string; readonly options: Options }[] = [
  { name: "table-v1", options: { blockBytes: 96, restartInterval: 2 } },
  {
    name: "table-deflate-v1",
    options: { blockBytes: 4096, compression: "deflate", filterBitsPerKey: 0 },
  },
];

function golden(name: string): Uint8Array {
  const path = fileURLToPath(new URL(`golden/${name}.hex`, import.meta.url));
  return Uint8Array.from(Buffer.from(readFileSync(path, "utf8").replaceAll(/\s/g, ""), "hex"));
}

test.each(TABLES)("03.1 $name is read", ({ name }) => {
  const disk = freshDisk();
  replace(disk, golden(name));
  const table = sstable.openTable({ disk, path: PATH, id: ID });
  table.verify();
  checkLookups(table, versions);
  checkScans(table.cursor(), versions);
});

test.each(TABLES)("03.1 $name is written, byte by byte", ({ name, options }) => {
  const { disk } = made(sstable, versions, options);
  expect(Buffer.from(disk.content(PATH)).toString("hex")).toBe(
    Buffer.from(golden(name)).toString("hex"),
  );
});
