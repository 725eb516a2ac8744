/**
 * The rules of chapter 01 in one sentence each, as failures quote them. The long form, and what is
 * lost without each, is in `chapters/01-wal/contract.md`.
 */
export const rules: Readonly<Record<string, string>> = {
  W1: "records are numbered from 1, each one more than the last, and no number is given twice",
  W2: "when sync has returned, or commit has resolved, every earlier append survives a power cut",
  W3: "openWal hands out a prefix of what was appended, with everything that was acknowledged",
  W4: "nothing is invented: every record handed out was appended, with these bytes and this number",
  W5: "a record is valid only if its type is known and not 0, its length fits the file, its checksum covers header and payload, and its number is the expected one",
  W6: "a torn tail is cut off; a bad record that is known to have been durable is an error, and changes nothing",
  W7: "after a failed write or sync nothing is written and nothing acknowledged until the log is opened again",
  W8: "recovery can be repeated, and can itself crash",
  W9: "a segment and its name are durable before it takes a record; the oldest goes first, and the end is cut by one decision",
};
