/**
 * A leader's view of its peers: L8 (it makes sense) and L9 (old replies change nothing).
 *
 * A copy of the status costs more than a step, so L8 looks only now and then.
 * Chapter: 11-simulation.
 */
import type { Input, PeerStatus, RaftCore } from "#raft/types";
import type { ModelNode } from "../process/index.ts";
import { fail } from "./broken.ts";
import type { NodeView } from "./views.ts";

/** Chunks of one snapshot that may be under way. */
const CHUNKS_IN_FLIGHT_MAX = 4;

/** Is this an answer to something that this leader did not ask in this term and session? */
function isForeign(view: NodeView, core: RaftCore, input: Input): boolean {
  if (input.kind !== "message" || core.role !== "leader") return false;
  const { from, message } = input;
  if (message.kind !== "appendReply" && message.kind !== "snapshotReply") return false;
  // A higher term ends the leadership, and progress with it.
  if (message.term < core.term) return true;
  if (message.term > core.term) return false;
  const session = view.sessions.get(from);
  return session !== undefined && message.session !== session;
}

/** Before a step: remembers what must not change. */
export function noteForeignReply(view: NodeView, core: RaftCore, input: Input): void {
  view.peersBefore = isForeign(view, core, input) ? core.status().peers : undefined;
}

/** L9, after the step. */
export function checkForeignReply(node: ModelNode, view: NodeView, core: RaftCore): void {
  const before = view.peersBefore;
  view.peersBefore = undefined;
  if (before === undefined || core.role !== "leader") return;
  const { peers } = core.status();
  for (const was of before) {
    const is = peers.find(({ peer }) => peer === was.peer);
    if (is === undefined) continue;
    if (is.match !== was.match || is.state !== was.state || is.lastReplyAt !== was.lastReplyAt) {
      fail(
        "L9",
        node.id,
        `believes an answer of another session: ${peerText(was)} became ${peerText(is)}`,
      );
    }
  }
}

/** L8. */
export function checkProgress(
  node: ModelNode,
  view: NodeView,
  core: RaftCore,
  inFlightMax: number,
): void {
  const { peers, lastIndex } = core.status();
  for (const peer of peers) {
    const { match, next, state, inFlight } = peer;
    if (!(match >= 0 && match < next && next <= lastIndex + 1)) {
      fail("L8", node.id, `has a log up to ${lastIndex} and sees ${peerText(peer)}`);
    }
    const max = { probe: 1, replicate: inFlightMax, snapshot: CHUNKS_IN_FLIGHT_MAX }[state];
    if (inFlight > max) fail("L8", node.id, `has more than ${max} under way: ${peerText(peer)}`);
    const session = view.sessions.get(peer.peer) ?? -1;
    const seen = view.matchSeen.get(peer.peer);
    if (seen !== undefined && seen.session === session && match < seen.match) {
      fail("L8", node.id, `knew that ${seen.match} matches, and now sees ${peerText(peer)}`);
    }
    view.matchSeen.set(peer.peer, { session, match });
  }
}

function peerText({ peer, state, match, next, inFlight }: PeerStatus): string {
  return `peer ${peer} (${state}, match ${match}, next ${next}, ${inFlight} under way)`;
}
