/**
 * The appendix shows every format as the code has it. Method: the table at the head of each codec
 * must stand in `appendix/formats.md`, row by row, and behind a heading that names the file.
 */
import { expect, test } from "vitest";
import { codecs, rowsOf, tableOf } from "./codecs.ts";
import { headerOf, textOf } from "./sources.ts";

const APPENDIX = "chapters/appendix/formats.md";

/** The part of the appendix that names a file as its source. */
function sectionOf(path: string): string {
  const parts = textOf(APPENDIX).split(/^## /m);
  return parts.find((part) => part.includes(`Source: \`${path}\``)) ?? "";
}

/** A codec with a table that is not about bytes alone, such as the fields of a JSON file. */
const ALSO = [
  ...["configuration", "identity", "membership-file", "message-codec"],
  ...["peer-note", "recovery", "rpc", "snapshot-files"],
].map((name) => `src/replica/${name}.ts`);

test.each([...new Set([...codecs(), ...ALSO])])(
  "the table of %s stands in the appendix",
  (path) => {
    expect(rowsOf(sectionOf(path))).toEqual(tableOf(path));
  },
);

test("every section of the appendix has a source with a table", () => {
  const sources = [...textOf(APPENDIX).matchAll(/^Source: `([^`]+)`/gm)].map((match) => match[1]);
  expect(sources.length).toBeGreaterThan(0);
  for (const path of sources) expect(headerOf(path ?? ""), path).toMatch(/\| ?-+:? ?\|/);
});
