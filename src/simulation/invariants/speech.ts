/**
 * What leaves a node is true of its disk: L1, L2, L3, and G9 for snapshots on the wire.
 *
 * Chapter: 11-simulation.
 */
import type { Message, NodeId, Term } from "#raft/types";
import type { ModelNode, Packet } from "../process/index.ts";
import { fail } from "./broken.ts";
import type { Ledger } from "./ledger.ts";
import { sameSets } from "./quorums.ts";
import type { NodeView } from "./views.ts";

/** Pre-votes speak of a term that nobody has entered yet. */
function isHypothetical(message: Message): boolean {
  if (message.kind === "vote") return message.pre;
  return message.kind === "voteReply" && message.pre && message.granted;
}

/** Checks a packet at the moment at which it leaves. */
export function checkSpeech(
  node: ModelNode,
  view: NodeView,
  ledger: Ledger,
  packet: Packet,
  chain: number,
): void {
  const { message, to } = packet;
  if (!isHypothetical(message)) checkTerm(node, view, message.term);
  switch (message.kind) {
    case "voteReply":
      if (message.granted && !message.pre) voted(node, view, message.term, to);
      break;
    case "vote":
      if (!message.pre) voted(node, view, message.term, node.id);
      break;
    case "appendReply":
      // What lies before the node's log, and has no chain there, is what was committed.
      if (message.ok) {
        checkAcknowledged(node, message.match, chain || ledger.chainAt(message.match));
      }
      break;
    case "append":
      checkConfigurations(node, packet, message.prevIndex + 1);
      view.sessions.set(to, message.session);
      break;
    case "snapshot":
      ledger.snapshotSays(
        node.id,
        { index: message.index, term: message.indexTerm },
        message.configuration,
      );
      view.sessions.set(to, message.session);
      break;
    default:
      break;
  }
}

function checkTerm(node: ModelNode, view: NodeView, term: Term): void {
  if (term < view.sentTerm) fail("L1", node.id, `speaks in term ${term} after ${view.sentTerm}`);
  view.sentTerm = term;
  const durable = node.disk.hardState.term;
  if (durable < term) fail("L3", node.id, `speaks in term ${term}, its disk is in ${durable}`);
}

/** L2 and L3: a vote is given once, and it is on disk before it is told. */
export function voted(node: ModelNode, view: NodeView, term: Term, candidate: NodeId): void {
  notedVote(node, view, term, candidate);
  const { hardState } = node.disk;
  if (hardState.term === term && hardState.vote !== candidate) {
    fail("L3", node.id, `votes in term ${term} for ${candidate}, its disk says ${hardState.vote}`);
  }
}

/** L2. */
export function notedVote(node: ModelNode, view: NodeView, term: Term, candidate: NodeId): void {
  const before = view.votes.get(term);
  if (before === undefined) view.votes.set(term, candidate);
  else if (before !== candidate) {
    fail("L2", node.id, `votes in term ${term} for ${before} and for ${candidate}`);
  }
}

function checkAcknowledged(node: ModelNode, match: number, chain: number | undefined): void {
  const { log } = node.disk;
  // What is before the log's beginning was committed and applied here.
  if (match < log.base.index) return;
  if (log.chainAt(match) !== chain) {
    fail("L3", node.id, `acknowledges entry ${match}, its disk does not have it`);
  }
}

/** L11: what a message says of configurations is what is in its entries. */
function checkConfigurations(node: ModelNode, packet: Packet, from: number): void {
  const { message, entries } = packet;
  if (message.kind !== "append") return;
  let said = 0;
  for (let i = 0; i < entries.length; i += 1) {
    const { sets } = entries[i]!;
    if (sets === undefined) continue;
    const record = message.configurations[said];
    said += 1;
    if (record === undefined || record.index !== from + i || !sameSets(record.sets, sets)) {
      fail("L11", node.id, `sends entry ${from + i} and does not say its configuration`);
    }
  }
  if (said !== message.configurations.length) {
    fail("L11", node.id, `speaks of ${message.configurations.length} configurations of ${said}`);
  }
}
