/**
 * What came out of a block of commands, one line each, in the order in which it happened.
 *
 * Three kinds of lines: events (who leads, what is committed, applied, refused), messages (what was
 * sent) and writes (what went to disks). Commands that let much happen at once show events only,
 * unless the scenario asks for more. Invariant: a line is made of the scenario's own words, and
 * never of anything that differs between two runs. Chapter: 11-simulation.
 */
import { unreachable } from "#base";
import type { NodeId, Output } from "#raft/types";
import type { Packet } from "../process/index.ts";
import {
  entriesText,
  messageText,
  QUIET_FIELDS,
  type QuietField,
  setsText,
} from "./message-text.ts";

/** Kinds of lines. */
export const TRACE_KINDS = ["events", "messages", "writes"] as const;
export type TraceKind = (typeof TRACE_KINDS)[number];

/** What `show` and `hide` can name. */
export const SHOWABLE = [...TRACE_KINDS, ...QUIET_FIELDS] as const;

/** Names for what the core knows by number. */
export interface Names {
  /** The name of the entry that a node has at an index. */
  entry(node: NodeId, index: number): string;
  /** The names of the entries a packet carries. */
  carried(packet: Packet): string[];
  /** The name of a proposal, change or read. */
  request(id: number): string;
}

export class Trace {
  #lines: string[] = [];
  readonly #names: Names;
  /** `undefined`: as the command in hand has it. */
  readonly #shown = new Map<TraceKind, boolean>();
  readonly #fields = new Set<QuietField>();
  /** The command in hand lets much happen at once. */
  isMass = false;

  constructor(names: Names) {
    this.#names = names;
  }

  /** Shows or hides a kind of lines, or a field of messages, from now on. */
  set(what: (typeof SHOWABLE)[number], shown: boolean): void {
    const field = QUIET_FIELDS.find((name) => name === what);
    if (field === undefined) this.#shown.set(what as TraceKind, shown);
    else if (shown) this.#fields.add(field);
    else this.#fields.delete(field);
  }

  /** Takes the lines out. */
  take(): string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  event(line: string): void {
    if (this.#shows("events")) this.#lines.push(line);
  }

  /** A packet, with what became of it if that is not plain. */
  packet(packet: Packet, fate = ""): void {
    if (!this.#shows("messages")) return;
    const { from, to, message } = packet;
    const entries = this.#names.carried(packet);
    const text = messageText(message, { entries, show: this.#fields });
    this.#lines.push(`${from}->${to} ${text}${fate === "" ? "" : ` (${fate})`}`);
  }

  write(line: string): void {
    if (this.#shows("writes")) this.#lines.push(line);
  }

  /** An output of a node's core. Packets are told when they leave, not here. */
  output(node: NodeId, output: Output): void {
    switch (output.kind) {
      case "send":
        break;
      case "persist":
        this.write(`${node} writes #${output.seq}: ${this.#persist(node, output)}`);
        break;
      case "apply":
        this.event(`${node} may apply ${this.#entries(node, output.from, output.to)}`);
        break;
      case "role":
        this.event(`${node} ${roleText(output)}, term ${output.term}`);
        break;
      case "truncated":
        this.event(`${node} cuts its log from ${output.from}`);
        break;
      case "configuration": {
        const { index, sets } = output.configuration;
        const state = output.committed ? "committed" : "in force";
        this.event(`${node} configuration ${setsText(sets)} at ${index} ${state}`);
        break;
      }
      case "accepted":
      case "refused":
      case "readReady":
      case "readFailed":
      case "transferEnded":
        this.event(`${node} ${this.#answer(output)}`);
        break;
      case "makeSnapshot":
        this.event(`${node} needs a snapshot for ${output.to}, at least ${output.atLeast}`);
        break;
      case "dropSnapshot":
        this.event(`${node} drops the snapshot for ${output.to}`);
        break;
      case "storeChunk":
        break;
      case "install":
        this.event(`${node} installs the snapshot at ${output.index}`);
        break;
      default:
        unreachable(output);
    }
  }

  #shows(kind: TraceKind): boolean {
    return this.#shown.get(kind) ?? (kind === "events" || (kind === "messages" && !this.isMass));
  }

  #answer(
    output: Extract<
      Output,
      { kind: "accepted" | "refused" | "readReady" | "readFailed" | "transferEnded" }
    >,
  ): string {
    if (output.kind === "transferEnded") return `transfer to ${output.to}: ${output.outcome}`;
    const name = this.#names.request(output.id);
    switch (output.kind) {
      case "accepted": {
        const last = output.from + output.count - 1;
        return `accepts ${name} at ${span(output.from, last)}`;
      }
      case "refused":
        return `refuses ${name}: ${output.reason}`;
      case "readReady": {
        const lease = output.leaseUntil === undefined ? "" : `, lease until ${output.leaseUntil}`;
        return `read ${name}: ready at ${output.index}${lease}`;
      }
      case "readFailed":
        return `read ${name}: failed, ${output.reason}`;
      default:
        return unreachable(output);
    }
  }

  #entries(node: NodeId, from: number, to: number): string {
    const names: string[] = [];
    for (let index = from; index <= to; index += 1) names.push(this.#names.entry(node, index));
    const shown = names.length > 6 ? `${names[0]} .. ${names.at(-1)}` : names.join(" ");
    return `${span(from, to)}: ${shown}`;
  }

  #persist(node: NodeId, output: Extract<Output, { kind: "persist" }>): string {
    const { hardState, reset, truncateFrom, append } = output;
    const parts: string[] = [];
    if (hardState !== undefined) parts.push(`term=${hardState.term} vote=${hardState.vote}`);
    if (reset !== undefined) parts.push(`reset=${reset.index}/${reset.term}`);
    if (truncateFrom !== undefined) parts.push(`cut=${truncateFrom}`);
    if (append !== undefined) {
      const { from, count, runs } = append;
      const names = Array.from({ length: count }, (_, i) => this.#names.entry(node, from + i));
      parts.push(`at=${from} entries=${entriesText(from, names, runs)}`);
    }
    return parts.join(" ");
  }
}

/** `3` or `3-5`. */
export function span(from: number, to: number): string {
  return from === to ? `${from}` : `${from}-${to}`;
}

function roleText({ role, leader }: Extract<Output, { kind: "role" }>): string {
  if (role !== "follower") return `is ${role}`;
  return leader === 0 ? "is follower" : `follows ${leader}`;
}
