/**
 * The rules of chapter 00 in one sentence each, as failures quote them. The long form is the
 * chapter's contract page.
 */
export const rules: Readonly<Record<string, string>> = {
  D0: "only `sync` makes bytes durable",
  D1: "only `syncDir` makes names durable",
  D2: "a crash keeps any subset of the sectors and names that were not synced",
  D3: "a file may grow without its data: space that no write has reached reads as zeros",
  D4: "after a failed sync, unsynced data are unknown: a second sync proves nothing",
  D5: "replaceFile leaves all of the old content or all of the new; once it has returned, the new",
  E1: "a number comes back as it was written; one that does not fit is refused, never changed",
  E2: "integers of fixed width are little-endian: the lowest byte comes first",
  E3: "bytes compare as bytes from 0 to 255, and a prefix comes before what it begins",
  E4: "the checksum is CRC-32C as published, and the checksum of pieces is that of the whole",
  E5: "the checksum of nothing is 0: zeros must never be a valid record",
};
