/**
 * Changes of the cluster's members and of its leader, as this node decides them while it leads.
 *
 * Consensus takes one change at a time, and none before the leader has committed in its own term;
 * whoever asks waits for that here. Invariant: a change is asked for again only after a definite
 * refusal.
 */
import { type Bytes, CairnError, isCairnError, type Ms } from "#base";
import { type ConsensusThread, createConfiguration } from "#replica";
import type { Configuration, DigestReport, Member } from "#replica/types";
import type { Counters } from "./counters.ts";
import { packCall, unpackCall } from "./forward.ts";
import type { Leadership } from "./leadership.ts";
import type { Calls } from "./service.ts";

/** Between two tries of a change that was refused for now. */
const RETRY_MS: Ms = 50;
/** How long a change may wait for the one before it. */
const PATIENCE_MS: Ms = 10_000;
/** How long the leader may take to answer a join that another node passes on. */
const PASS_ON_MS: Ms = 15_000;

/** A node that wants to be a member, or to stay one. */
export type Candidate = Pick<Member, "id" | "address" | "incarnation">;

/** What a node that asks to join is told. */
export type JoinAnswer =
  /** Nobody here knows a cluster. */
  | { readonly kind: "none" }
  /** The cluster is being founded, and the caller is one of its founders. */
  | { readonly kind: "founder"; readonly configuration: Configuration }
  /** The caller is a member, under this number. */
  | { readonly kind: "member"; readonly number: number; readonly configuration: Configuration };

/** See the file's header. */
export interface ClusterMembership {
  /**
   * Answers `join` and `joinNonVoter` of another node: a follower passes it on to the leader.
   *
   * @throws `SERVER_NO_LEADER`, `SERVER_MEMBERSHIP_REFUSED`, `BYTES_MALFORMED`
   */
  answerJoin(method: "join" | "joinNonVoter", payload: Bytes): Promise<Bytes>;
  /** Removes a member, if there is one. Leader only. @throws `SERVER_MEMBERSHIP_REFUSED` */
  remove(id: string): Promise<void>;
  /** Resolves when `target`, or anybody, leads instead. @throws `SERVER_MEMBERSHIP_REFUSED` */
  handOver(target: string | undefined): Promise<void>;
  /** Compares the states of all replicas. Leader only. */
  compare(): Promise<DigestReport>;
}

/** What it is made of. */
export interface MembershipParts {
  readonly consensus: ConsensusThread;
  readonly leadership: Leadership;
  readonly calls: Pick<Calls, "route" | "leading">;
  readonly counters: Counters;
}

/** A candidate as the head of a call has it. @throws `BYTES_MALFORMED` */
export function candidateFrom(head: Readonly<Record<string, unknown>>): Candidate {
  const { id, address, incarnation } = head;
  if (typeof id !== "string" || typeof address !== "string" || typeof incarnation !== "string") {
    throw new CairnError("BYTES_MALFORMED", "server: join without id, address or incarnation");
  }
  return { id, address, incarnation };
}

/** The member that the candidate is already: same name, same data directory. */
export function memberAmong(
  configuration: Configuration | undefined,
  { id, incarnation }: Omit<Candidate, "address">,
): Member | undefined {
  return configuration?.members.find(
    (member) => member.id === id && member.incarnation === incarnation,
  );
}

/** Is this the configuration that its cluster was founded with? */
export function isFounding(configuration: Configuration): boolean {
  const { members, clusterId, epoch, nextNumber, sets } = configuration;
  if (epoch > 0 || nextNumber !== members.length + 1 || sets.outgoing.length > 0) return false;
  if (sets.voters.length !== members.length) return false;
  return createConfiguration(members).clusterId === clusterId;
}

const refuse = (why: string): CairnError => new CairnError("SERVER_MEMBERSHIP_REFUSED", why);

class LeadersMembership implements ClusterMembership {
  readonly #parts: MembershipParts;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  async answerJoin(method: "join" | "joinNonVoter", payload: Bytes): Promise<Bytes> {
    const { calls, consensus, counters, leadership } = this.#parts;
    const { head } = unpackCall(payload);
    const candidate = candidateFrom(head);
    const voter = method === "join";
    const isPassedOn = head["isPassedOn"] === true;
    if (!isPassedOn) counters.add("cluster", "num_join_req");
    const known = consensus.configuration;
    if (known === undefined) return packCall({ kind: "none" });
    const here = async (): Promise<Bytes> => packCall(await this.#admit(candidate, voter));
    if (isPassedOn) return calls.leading(here);
    // Founders need each other before anybody can lead.
    const own = memberAmong(known, candidate);
    const isFounder = voter && own?.address === candidate.address && isFounding(known);
    if (isFounder && leadership.leader() === undefined) {
      return packCall({ kind: "founder", configuration: known });
    }
    const passedOn = packCall({ ...head, isPassedOn: true });
    return calls.route(here, ({ address }) =>
      consensus.call(address, method, passedOn, PASS_ON_MS),
    );
  }

  async remove(id: string): Promise<void> {
    const { consensus } = this.#parts;
    const { members = [], sets } = consensus.configuration ?? {};
    const leaving = members.find((member) => member.id === id);
    if (leaving === undefined) return;
    if (sets?.voters.every((number) => number === leaving.number)) {
      throw refuse("need at least one voter in configuration");
    }
    await this.#patiently(() => consensus.removeMember(id));
  }

  async handOver(target: string | undefined): Promise<void> {
    const { consensus } = this.#parts;
    const { members = [], sets } = consensus.configuration ?? {};
    const member = members.find(({ id }) => id === target);
    if (target !== undefined && member === undefined) throw refuse("node not found in cluster");
    if (member !== undefined && !sets?.voters.includes(member.number)) {
      throw refuse("node is not a voter");
    }
    if ((sets?.voters.length ?? 0) < 2) throw refuse("cannot find peer");
    try {
      await consensus.transfer(member?.number ?? 0);
    } catch (error) {
      if (!isCairnError(error, "REPLICA_CHANGE_INVALID")) throw error;
      throw refuse("cannot find peer");
    }
  }

  compare(): Promise<DigestReport> {
    return this.#parts.consensus.checkDigest();
  }

  async #admit(candidate: Candidate, voter: boolean): Promise<JoinAnswer> {
    const { consensus, counters } = this.#parts;
    const before = consensus.configuration;
    const clashes = before?.members.some((other) => {
      const [sameId, sameAddress] = [
        other.id === candidate.id,
        other.address === candidate.address,
      ];
      return sameId !== sameAddress || (sameId && other.incarnation !== candidate.incarnation);
    });
    const configuration = await this.#patiently(() => consensus.addMember(candidate, { voter }));
    const member = memberAmong(configuration, candidate);
    if (member === undefined) {
      throw new CairnError("REPLICA_CHANGE_REFUSED", `server: ${candidate.id} was removed again`);
    }
    const isNew = memberAmong(before, candidate)?.number !== member.number;
    if (clashes === true) counters.add("store", "num_removed_before_joins");
    counters.add("store", isNew || clashes === true ? "num_joins" : "num_ignored_joins");
    return { kind: "member", number: member.number, configuration };
  }

  /** Tries a change until it is not in the way of another one any more. */
  async #patiently(change: () => Promise<Configuration>): Promise<Configuration> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await change();
      } catch (error) {
        if (isCairnError(error, "REPLICA_CHANGE_INVALID")) throw refuse(error.message);
        if (!isCairnError(error, "REPLICA_CHANGE_REFUSED")) throw error;
        if (performance.now() > deadline) throw error;
        await this.#parts.leadership.change(RETRY_MS);
      }
    }
  }
}

/** Makes the membership of one node's cluster. */
export function createMembership(parts: MembershipParts): ClusterMembership {
  return new LeadersMembership(parts);
}
