/**
 * What a `persist` output becomes: the driver's log is changed, and a record waits for the disk.
 *
 * The bytes of entries come from where the output says: from the proposal, from the packet, or
 * from the driver itself. Invariant: an entry that came from a peer is never changed, only its
 * place in a chain. Chapter: 11-simulation.
 */
import { assert } from "#base";
import type { Index, Output } from "#raft/types";
import type { ModelDisk } from "./disk.ts";
import {
  CONFIGURATION_BYTES,
  type EntryContent,
  makeEntry,
  moveEntry,
  NOOP_BYTES,
} from "./entry.ts";
import type { ModelLog } from "./log.ts";
import type { LogBase, ModelEntry, Packet } from "./types.ts";

type Persist = Extract<Output, { kind: "persist" }>;
type Append = NonNullable<Persist["append"]>;

const NO_ENTRIES: readonly ModelEntry[] = [];

/** What the input being handled carries. */
export interface Carried {
  contents: readonly EntryContent[];
  packet: Packet | undefined;
}

/** The copy on this disk that takes the log's place. */
export function baseOf(disk: ModelDisk, reset: NonNullable<Persist["reset"]>): LogBase {
  const { index, term, configuration, copy } = reset;
  const file = disk.files.get(copy);
  assert(file !== undefined, `simulation: copy ${copy} is not on disk`);
  return { index, term, chain: file.chain, configuration, copy };
}

/** Adds the entries of an output to the log. */
export function appendTo(
  log: ModelLog,
  append: Append | undefined,
  carried: Carried,
): readonly ModelEntry[] {
  if (append === undefined) return NO_ENTRIES;
  const { from, count, runs, source } = append;
  assert(from === log.lastIndex + 1, `simulation: append at ${from}, the log ends before`);
  const entries: ModelEntry[] = [];
  let run = 0;
  for (let index = from; index < from + count; index += 1) {
    while ((runs[run + 1]?.first ?? Number.POSITIVE_INFINITY) <= index) run += 1;
    const { term } = runs[run]!;
    const before = log.lastChain;
    const entry =
      source === "message"
        ? moveEntry(sentEntry(carried.packet, index), before)
        : makeEntry(before, term, contentAt(append, index - from, carried));
    assert(entry.term === term, `simulation: entry ${index} is of term ${entry.term}`);
    log.append(entry);
    entries.push(entry);
  }
  return entries;
}

/** An append may be taken in part: its entries are counted from the place of the first one. */
function sentEntry(packet: Packet | undefined, index: Index): ModelEntry {
  const message = packet?.message;
  const first = message?.kind === "append" ? message.prevIndex + 1 : index;
  const entry = packet?.entries[index - first];
  assert(entry !== undefined, `simulation: no bytes for entry ${index}`);
  return entry;
}

function contentAt(append: Append, place: number, { contents }: Carried): EntryContent {
  if (append.source === "noop") return { size: NOOP_BYTES };
  if (append.source === "configuration") return { size: CONFIGURATION_BYTES, sets: append.sets };
  return contents[place]!;
}
