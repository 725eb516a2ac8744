/**
 * Turns what the core wants persisted into one write of the log.
 *
 * The core names the entries; their bytes are in the proposal, the message or the change being
 * handled, or are made here. Invariant: one persist is one write, complete or an error.
 * Chapter: 08-replica.
 */
import { assert, type Bytes } from "#base";
import type { Index, Input, Output } from "#raft/types";
import type { Changes } from "./changes.ts";
import { encodeConfiguration } from "./configuration.ts";
import { encodeEntry } from "./entry.ts";
import type { DecodedMessage } from "./message-codec.ts";
import type { Proposals } from "./proposals.ts";
import type { SnapshotReceiver } from "./snapshot-receiver.ts";
import type { LogChange, LogEntry, LogReset, RaftLog } from "./types.ts";

type Persist = Extract<Output, { kind: "persist" }>;
type Append = NonNullable<Persist["append"]>;

/** What the driver is handling: an input, and the bytes that came with it. */
export interface Handled {
  readonly input: Input;
  readonly decoded?: DecodedMessage | undefined;
}

export interface LogWriterParts {
  readonly log: RaftLog;
  readonly proposals: Proposals;
  readonly changes: Changes;
  readonly receiver: SnapshotReceiver;
}

/** Writes a persist. @throws as `RaftLog.write`. */
export function writePersist(parts: LogWriterParts, persist: Persist, handled: Handled): void {
  const { hardState, reset, truncateFrom, append } = persist;
  const change: LogChange = {
    ...(hardState === undefined ? {} : { hardState }),
    ...(reset === undefined ? {} : { reset: resetOf(parts, reset) }),
    ...(truncateFrom === undefined ? {} : { truncateFrom }),
    ...(append === undefined ? {} : { entries: entriesOf(parts, append, handled) }),
  };
  parts.log.write(change);
}

function resetOf(
  { receiver }: LogWriterParts,
  { index, term, configuration, copy }: NonNullable<Persist["reset"]>,
): LogReset {
  const file = receiver.complete(index, copy);
  assert(file !== undefined, `replica: snapshot ${copy} at ${index} is complete`);
  const stored = { index: configuration.index, configuration: file.configuration };
  return { index, term, configuration: stored, copy };
}

function entriesOf(parts: LogWriterParts, append: Append, handled: Handled): LogEntry[] {
  const entries: LogEntry[] = [];
  let run = 0;
  for (let index = append.from; index < append.from + append.count; index += 1) {
    while ((append.runs[run + 1]?.first ?? Number.POSITIVE_INFINITY) <= index) run += 1;
    const term = append.runs[run]?.term ?? 0;
    entries.push({ index, term, bytes: bytesOf(parts, append, index, handled) });
  }
  return entries;
}

function bytesOf(parts: LogWriterParts, append: Append, index: Index, handled: Handled): Bytes {
  const { input, decoded } = handled;
  const { source, sets } = append;
  if (source === "noop") return encodeEntry("noop", new Uint8Array(0));
  if (source === "configuration") {
    assert(sets !== undefined, "replica: a configuration has sets");
    return encodeEntry("configuration", encodeConfiguration(parts.changes.describe(sets, input)));
  }
  const bytes =
    source === "proposal" && input.kind === "propose"
      ? parts.proposals.entryOf(input.id)
      : input.kind === "message" && input.message.kind === "append"
        ? decoded?.entries[index - input.message.prevIndex - 1]
        : undefined;
  assert(bytes !== undefined, `replica: bytes of entry ${index} from ${source} are at hand`);
  return bytes;
}
