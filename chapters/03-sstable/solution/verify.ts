/**
 * Reads a table as a whole and compares everything with everything.
 *
 * Invariant: a table that passes was written by a right writer and has not changed since.
 * Chapter: 03-sstable, step 03.5
 */
import { compareBytes, equalBytes } from "#bytes";
import { readBlock } from "./block-reader.ts";
import { openFilter } from "./bloom.ts";
import { malformed, soundAt } from "./damage.ts";
import { createTally, decodeProperties, encodeProperties, type Properties } from "./properties.ts";
import { decodeIndex, type IndexEntry } from "./sparse-index.ts";
import { readFooter, readStored, type TableFile } from "./table-file.ts";
import { compareVersions, type Version } from "./version.ts";

/** Reads and checks everything. @throws SSTABLE_CORRUPT, disk errors. */
export function verifyTable(file: TableFile, id: number): void {
  const footer = readFooter(file, id);
  const at = (offset: number): { file: string; offset: number } => ({ file: file.path, offset });
  const contentOf = (handle: { offset: number; bytes: number }): Uint8Array =>
    readStored(file, id, handle);
  const filterContent = contentOf(footer.filter);
  const filter = soundAt(at(footer.filter.offset), () => openFilter(filterContent));
  const indexContent = contentOf(footer.index);
  const index = soundAt(at(footer.index.offset), () =>
    decodeIndex(indexContent, footer.filter.offset),
  );
  const propertiesContent = contentOf(footer.properties);
  const properties = soundAt(at(footer.properties.offset), () =>
    decodeProperties(propertiesContent),
  );
  const tally = createTally();
  let last: Version | null = null;
  for (const entry of index) {
    const content = contentOf(entry);
    soundAt(at(entry.offset), () => {
      for (const version of readBlock(content)) {
        checkPlace(entry, last, version);
        if (filter !== null && !filter.mayContain(version.key))
          malformed("the filter denies a key");
        tally.add(version);
        last = version;
      }
    });
  }
  soundAt(at(footer.properties.offset), () => checkCounts(tally.properties(), properties));
}

/** A version stands behind the one before it, and within the bounds that the index gives. */
function checkPlace(entry: IndexEntry, last: Version | null, version: Version): void {
  if (last !== null && compareVersions(last, version) >= 0) malformed("a version out of order");
  if (compareBytes(version.key, entry.separator) > 0) malformed("a key above its separator");
}

function checkCounts(counted: Properties, stored: Properties): void {
  if (equalBytes(encodeProperties(counted), encodeProperties(stored))) return;
  malformed(`${counted.entries} versions counted, and the properties do not agree`);
}
