/**
 * Somebody who runs the cluster: adds and removes nodes, hands leadership over, compacts logs.
 *
 * What the cluster refuses for now is asked again some time later, as a person or a script would.
 * Chapter: 11-simulation.
 */
import type { NodeId, Output, RefuseReason, VoterSets } from "#raft/types";
import type { EventQueue } from "./event-queue.ts";
import { type Host, MS } from "./host.ts";
import type { OperatorAction } from "./types.ts";

/** Asked again after so long, so often. */
const RETRY_MS = 300;
const TRIES_MAX = 12;
/** A cluster is not made smaller than this. */
const VOTERS_MIN = 2;
/** Nor larger: quorums are checked by brute force. */
const VOTERS_MAX = 7;
const FINAL: ReadonlySet<RefuseReason> = new Set(["invalid-configuration", "invalid-target"]);

/** What an operator needs from the world. */
export interface OperatorWorld {
  readonly queue: EventQueue;
  readonly hosts: ReadonlyMap<NodeId, Host>;
  readonly isCalm: boolean;
  /** A node that leads, as far as anybody can tell. */
  leader(): Host | undefined;
  /** A number for a request; `answered` hears its `accepted` or `refused`. */
  request(answered: (host: Host, output: Output) => void): number;
}

type Sets = Pick<VoterSets, "voters" | "learners">;

/** See the file's header. */
export class Operator {
  readonly #world: OperatorWorld;
  /** What was asked and taken, by kind. */
  readonly done = new Map<string, number>();

  constructor(world: OperatorWorld) {
    this.#world = world;
  }

  schedule(actions: readonly OperatorAction[], fromMicros: number): void {
    for (const action of actions) {
      this.#world.queue.at(fromMicros + action.at * MS, () => this.#begin(action));
    }
  }

  #begin(action: OperatorAction): void {
    if (this.#world.isCalm) return;
    switch (action.kind) {
      case "compact":
      case "compact-to-tip":
        this.#compact(action);
        break;
      case "transfer":
        this.#transfer(action);
        break;
      case "replace":
        this.#replace(action);
        break;
      default:
        this.#try(action, 0, () => undefined);
        break;
    }
  }

  #compact({ kind, choice }: OperatorAction): void {
    const hosts = [...this.#world.hosts.values()].filter(({ isUp }) => isUp);
    const host = hosts[choice % hosts.length];
    if (host === undefined) return;
    if (kind === "compact-to-tip") host.checkpoint();
    host.compact(0);
    this.#count(kind);
  }

  #transfer({ choice }: OperatorAction): void {
    const leader = this.#world.leader();
    if (leader === undefined) return;
    const { voters } = leader.node.running.configuration.sets;
    // One in four leaves the choice to the leader.
    const to = choice % 4 === 0 ? 0 : (voters[choice % voters.length] ?? 0);
    leader.act(() => leader.node.step(leader.localNow, { kind: "transfer", to }));
    this.#count("transfer");
  }

  /** A learner first; once it has caught up, it takes the place of another voter. */
  #replace(action: OperatorAction): void {
    this.#try({ ...action, kind: "add-learner" }, 0, (added) => {
      const then = (): void => this.#try(action, 0, () => undefined, added);
      this.#world.queue.after(RETRY_MS * MS, then);
    });
  }

  #try(
    action: OperatorAction,
    tries: number,
    done: (changed: NodeId) => void,
    newcomer: NodeId = 0,
  ): void {
    if (this.#world.isCalm || tries >= TRIES_MAX) return;
    const again = (): void =>
      this.#world.queue.after(RETRY_MS * MS, () => this.#try(action, tries + 1, done, newcomer));
    const leader = this.#world.leader();
    // What a paused process is asked, it would do at a time when it may be wrong.
    if (leader === undefined || leader.isPaused) {
      again();
      return;
    }
    const wanted = this.#target(action, leader.node.running.configuration.sets, newcomer);
    if (wanted === undefined || !this.#canLive(wanted.sets.voters)) return;
    const id = this.#world.request((_host, output) => {
      if (output.kind === "accepted") {
        this.#count(action.kind);
        done(wanted.changed);
      } else if (output.kind === "refused" && !FINAL.has(output.reason)) again();
    });
    const { voters, learners } = wanted.sets;
    leader.act(() => leader.node.step(leader.localNow, { kind: "change", id, voters, learners }));
  }

  /** The sets that the action asks for; undefined if it makes no sense now. */
  #target(
    { kind, choice }: OperatorAction,
    sets: VoterSets,
    newcomer: NodeId,
  ): { readonly sets: Sets; readonly changed: NodeId } | undefined {
    const { voters, learners } = sets;
    const pick = (from: readonly NodeId[]): NodeId => from[choice % from.length] ?? 0;
    const without = (from: readonly NodeId[], node: NodeId): NodeId[] =>
      from.filter((other) => other !== node);
    const sorted = (list: readonly NodeId[]): NodeId[] => [...list].sort((a, b) => a - b);
    switch (kind) {
      case "touch":
        return { sets, changed: 0 };
      case "add-learner": {
        const changed = pick(this.#outsiders(sets));
        if (changed === 0 || learners.length > 1) return undefined;
        return { sets: { voters, learners: sorted([...learners, changed]) }, changed };
      }
      case "promote": {
        const changed = pick(learners);
        if (changed === 0 || voters.length >= VOTERS_MAX) return undefined;
        return {
          sets: { voters: sorted([...voters, changed]), learners: without(learners, changed) },
          changed,
        };
      }
      case "demote": {
        const changed = pick(voters);
        if (voters.length <= VOTERS_MIN) return undefined;
        return {
          sets: { voters: without(voters, changed), learners: sorted([...learners, changed]) },
          changed,
        };
      }
      case "remove": {
        const changed = pick(this.#removable(sets));
        if (changed === 0) return undefined;
        return {
          sets: { voters: without(voters, changed), learners: without(learners, changed) },
          changed,
        };
      }
      case "replace": {
        if (!learners.includes(newcomer)) return undefined;
        const changed = pick(voters);
        return {
          sets: {
            voters: sorted([...without(voters, changed), newcomer]),
            learners: without(learners, newcomer),
          },
          changed,
        };
      }
      default:
        return undefined;
    }
  }

  /** Nodes that exist and are no members; those that were removed may come back. */
  #outsiders({ voters, outgoing, learners }: VoterSets): NodeId[] {
    return [...this.#world.hosts.values()]
      .filter((host) => host.isUp && !host.isGone)
      .map(({ id }) => id)
      .filter((id) => ![...voters, ...outgoing, ...learners].includes(id));
  }

  /** Nobody asks for a cluster most of whose voters are gone for good. */
  #canLive(voters: readonly NodeId[]): boolean {
    const living = voters.filter((id) => this.#world.hosts.get(id)?.isGone === false);
    return 2 * living.length > voters.length;
  }

  #removable({ voters, learners }: VoterSets): NodeId[] {
    const gone = voters.filter((id) => this.#world.hosts.get(id)?.isGone === true);
    // Who is gone for good is removed first, as anybody would.
    if (gone.length > 0 && voters.length > 1) return gone;
    return voters.length > VOTERS_MIN ? [...voters, ...learners] : [...learners];
  }

  #count(kind: string): void {
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
  }
}
