/**
 * A fingerprint of a run: a hash over every step of every node, and the last steps in words.
 *
 * Two runs of one plan have the same hash, in one process and in another. Words cost more than
 * steps do, so they are only made on demand: a run that failed is run again with them.
 * Invariant: looking changes nothing. Chapter: 11-simulation.
 */
import type { Input, Message, NodeId, Output } from "#raft/types";
import { mixHash } from "../process/index.ts";
import { inputText, outputText } from "./trace-text.ts";

/** Steps that a report shows at most. */
const RING_EVENTS = 500;

const MESSAGE_CODES: Readonly<Record<Message["kind"], number>> = {
  vote: 1,
  voteReply: 2,
  append: 3,
  appendReply: 4,
  timeoutNow: 5,
  snapshot: 6,
  snapshotReply: 7,
  read: 8,
  readReply: 9,
};

/** See the file's header. */
export class Trace {
  #hash = 0;
  #steps = 0;
  readonly #words: string[] | undefined;

  /** @param withWords - keeps the last steps in words. */
  constructor(withWords: boolean) {
    this.#words = withWords ? [] : undefined;
  }

  get hash(): number {
    return this.#hash;
  }

  get steps(): number {
    return this.#steps;
  }

  /** The last steps, oldest first; empty without words. */
  get last(): readonly string[] {
    return this.#words ?? [];
  }

  /** One step. @param micros - true time. */
  step(micros: number, node: NodeId, input: Input, outputs: readonly Output[]): void {
    this.#steps += 1;
    let hash = mixHash(this.#hash ^ micros, node);
    hash = mixHash(hash, inputDigest(input));
    for (let i = 0; i < outputs.length; i += 1) hash = mixHash(hash, outputDigest(outputs[i]!));
    this.#hash = hash;
    if (this.#words === undefined) return;
    this.note(micros, `node ${node}: ${inputText(input)}`);
    for (const output of outputs) this.note(micros, `          ${outputText(output)}`);
  }

  /** Something that is no step: a fault, a phase. Not part of the hash. */
  note(micros: number, text: string): void {
    const words = this.#words;
    if (words === undefined) return;
    words.push(`${(micros / 1000).toFixed(3).padStart(11)} ms  ${text}`);
    if (words.length > 2 * RING_EVENTS) words.splice(0, RING_EVENTS);
  }
}

function inputDigest(input: Input): number {
  switch (input.kind) {
    case "message":
      return 100 + 16 * input.from + MESSAGE_CODES[input.message.kind];
    case "persisted":
      return 10_000 + input.seq;
    case "applied":
      return 20_000 + input.index;
    case "propose":
      return 30_000 + input.id;
    default:
      return input.kind.length;
  }
}

function outputDigest(output: Output): number {
  switch (output.kind) {
    case "send":
      return Math.imul(messageDigest(output.message), 31) + output.to + 64 * (output.after ?? 0);
    case "persist":
      return 2 + 16 * output.seq + (output.append?.count ?? 0);
    case "apply":
      return 3 + 16 * output.to;
    case "accepted":
      return 4 + 16 * output.from;
    case "role":
      return 5 + 16 * output.term + output.role.length;
    case "readReady":
      return 6 + 16 * output.index;
    default:
      return 7 + output.kind.length;
  }
}

function messageDigest(message: Message): number {
  const code = MESSAGE_CODES[message.kind] + 16 * message.term;
  switch (message.kind) {
    case "append":
      return code + 4096 * message.prevIndex + 7 * message.commit + message.sizes.length;
    case "appendReply":
      return code + 4096 * message.match + 7 * message.hintIndex + (message.ok ? 1 : 0);
    case "vote":
      return code + 4096 * message.lastIndex + (message.pre ? 1 : 0);
    case "voteReply":
      return code + (message.granted ? 1 : 0) + (message.pre ? 2 : 0);
    case "snapshot":
      return code + 4096 * message.index + message.offset;
    case "snapshotReply":
      return code + 4096 * message.index + message.nextOffset;
    case "read":
    case "readReply":
      return code + (message.request % 65_536);
    default:
      return code;
  }
}
