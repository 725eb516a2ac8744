/**
 * Inputs, messages and outputs in words, one line each, for reports.
 *
 * Chapter: 11-simulation.
 */
import type { ConfigurationRecord, Input, Message, Output } from "#raft/types";
import { setsText } from "../invariants/index.ts";

/** An input in words. */
export function inputText(input: Input): string {
  switch (input.kind) {
    case "message":
      return `from ${input.from}: ${messageText(input.message)}`;
    case "propose":
      return `propose ${input.id}: ${input.sizes.length} entries`;
    case "change":
      return `change ${input.id}: voters ${input.voters.join()} learners ${input.learners.join()}`;
    case "read":
      return `read ${input.id} by ${input.via}`;
    case "transfer":
      return `transfer to ${input.to === 0 ? "the most advanced" : input.to}`;
    case "persisted":
      return `persisted ${input.seq}`;
    case "applied":
      return `applied ${input.index}`;
    case "unreachable":
      return `unreachable ${input.peer}`;
    case "compacted":
      return `compacted ${input.upTo}`;
    case "snapshotReady":
      return `copy ${input.copy} at ${input.index} for ${input.to}: ${input.totalBytes} bytes`;
    case "chunkStored":
      return `copy ${input.copy} stored up to ${input.nextOffset}`;
    default:
      return input.kind;
  }
}

/** A message in words. */
export function messageText(message: Message): string {
  const term = `term ${message.term}`;
  switch (message.kind) {
    case "vote": {
      const kind = message.pre ? "pre-vote" : message.transfer ? "vote (transfer)" : "vote";
      return `${kind} ${term}, log ends ${message.lastIndex}/${message.lastTerm}`;
    }
    case "voteReply": {
      const kind = message.pre ? "pre-vote" : "vote";
      const removed = message.removedAt > 0 ? `, removed at ${message.removedAt}` : "";
      return `${kind} ${message.granted ? "granted" : "refused"} ${term}${removed}`;
    }
    case "append": {
      const behind = `${message.prevIndex}/${message.prevTerm}`;
      const sets = message.configurations.map(recordText).join(" ");
      const more = `commit ${message.commit}, round ${message.round}, session ${message.session}`;
      return `append ${term} behind ${behind}: ${message.sizes.length} entries, ${more} ${sets}`;
    }
    case "appendReply": {
      const end = `round ${message.round}, session ${message.session}`;
      if (message.ok) return `append ok ${term} match ${message.match}, ${end}`;
      const hint = `hint ${message.hintIndex}/${message.hintTerm}`;
      return `append refused ${term} behind ${message.rejected}, ${hint}, ${end}`;
    }
    case "snapshot": {
      const part = `${message.offset}+${message.bytes} of ${message.totalBytes}`;
      const at = `${message.index}/${message.indexTerm}`;
      return `snapshot ${term} at ${at} copy ${message.copy}: ${part}, session ${message.session}`;
    }
    case "snapshotReply":
      return `snapshot reply ${term} copy ${message.copy}: wants ${message.nextOffset}`;
    case "read":
      return `read ${term} request ${message.request}`;
    case "readReply":
      return `read reply ${term} request ${message.request}: index ${message.index}`;
    case "timeoutNow":
      return `timeout now ${term}`;
  }
}

function recordText({ index, sets }: ConfigurationRecord): string {
  return `configuration ${index} (${setsText(sets)})`;
}

/** An output in words. */
export function outputText(output: Output): string {
  switch (output.kind) {
    case "send": {
      const after = output.after === undefined ? "" : ` after ${output.after}`;
      return `to ${output.to}${after}: ${messageText(output.message)}`;
    }
    case "persist":
      return persistText(output);
    case "apply":
      return `apply ${output.from} to ${output.to}`;
    case "accepted":
      return `accepted ${output.id} from ${output.from} in term ${output.term}`;
    case "refused":
      return `refused ${output.id}: ${output.reason}`;
    case "truncated":
      return `truncated from ${output.from}`;
    case "role":
      return `${output.role} in term ${output.term}, leader ${output.leader || "unknown"}`;
    case "configuration":
      return `${output.committed ? "committed" : "new"} ${recordText(output.configuration)}`;
    case "readReady": {
      const lease = output.leaseUntil === undefined ? "" : ` until ${output.leaseUntil}`;
      return `read ${output.id} ready at ${output.index}${lease}`;
    }
    case "readFailed":
      return `read ${output.id} failed: ${output.reason}`;
    case "transferEnded":
      return `transfer to ${output.to} ended: ${output.outcome}`;
    case "makeSnapshot":
      return `make a snapshot for ${output.to}, at least at ${output.atLeast}`;
    case "dropSnapshot":
      return `drop copy ${output.copy} for ${output.to}`;
    case "storeChunk":
      return `store the chunk from ${output.from}`;
    case "install":
      return `install copy ${output.copy} at ${output.index} after ${output.after}`;
  }
}

function persistText(output: Extract<Output, { kind: "persist" }>): string {
  const parts = [`persist ${output.seq}`];
  const { hardState, reset, truncateFrom, append } = output;
  if (hardState !== undefined) parts.push(`term ${hardState.term} vote ${hardState.vote}`);
  if (reset !== undefined) parts.push(`reset to ${reset.index}/${reset.term} copy ${reset.copy}`);
  if (truncateFrom !== undefined) parts.push(`cut from ${truncateFrom}`);
  if (append !== undefined) {
    const last = append.from + append.count - 1;
    parts.push(`entries ${append.from} to ${last} (${append.source})`);
  }
  return parts.join(", ");
}
