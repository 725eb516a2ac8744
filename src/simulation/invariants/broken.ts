/**
 * A broken promise of Raft: which one, at which node, and what was seen.
 *
 * The ids are those of the list in chapter 11: L for one node, G for the cluster, V for what must
 * come about, H for histories, `assert` for an assertion of the code under test.
 * Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";

/** What was broken. */
export interface BrokenInvariant extends Error {
  /** Such as `L3` or `G11`. */
  readonly id: string;
  /** 0 when it is the whole cluster's. */
  readonly node: NodeId;
  readonly text: string;
}

class Broken extends Error implements BrokenInvariant {
  override readonly name = "BrokenInvariant";
  readonly id: string;
  readonly node: NodeId;
  readonly text: string;

  constructor(id: string, node: NodeId, text: string, cause?: unknown) {
    super(
      node === 0 ? `${id}: ${text}` : `${id}: node ${node} ${text}`,
      cause === undefined ? undefined : { cause },
    );
    this.id = id;
    this.node = node;
    this.text = text;
  }
}

/** Makes the error. @param text - for one node, it goes on where `node 3` ends. */
export function brokenInvariant(
  id: string,
  node: NodeId,
  text: string,
  cause?: unknown,
): BrokenInvariant {
  return new Broken(id, node, text, cause);
}

/** Tells whether something that was thrown is a broken invariant, of that id if one is named. */
export function isBrokenInvariant(error: unknown, id?: string): error is BrokenInvariant {
  return error instanceof Broken && (id === undefined || error.id === id);
}

/** Stops the run. @throws BrokenInvariant always. */
export function fail(id: string, node: NodeId, text: string): never {
  throw new Broken(id, node, text);
}
