/**
 * The rules of chapter 03 in one sentence each, as failures name them. The contract page has more.
 */
export const rules: Readonly<Record<string, string>> = {
  S1: "Entries come in strictly increasing order, or adding throws and changes nothing.",
  S2: "Nothing changes after finish: the file has its bytes, and the table its answers, for good.",
  S3: "Any damage gives SSTABLE_CORRUPT with file and offset, never a wrong answer.",
  S4: "Nothing is read, allocated or cut out for a length that was not held against what is there.",
  S5: "A file under its final name is complete and durable: content, then name, then directory.",
  S6: "The filter never denies a key that was added, and misleads as often as the formula says.",
  S7: "A lookup reads at most one data block, and the index has one entry for each block.",
  S8: "Bounds are exact: lookups, seeks and scans find what is there, first and last key included.",
  S9: "The bytes are those of the format page: every reader of the format can read them.",
};
