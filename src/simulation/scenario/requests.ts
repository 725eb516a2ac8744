/**
 * What clients asked for, by the names that the scenario gave, and what became of it.
 *
 * Invariant: a proposal that was accepted is committed or lost only when some node's commit index
 * has passed its place. Chapter: 11-simulation.
 */
import type { Index, NodeId, Output, Term } from "#raft/types";

export type RequestKind = "propose" | "change" | "read";

/** One batch, change or read. */
export interface Request {
  readonly id: number;
  readonly kind: RequestKind;
  readonly node: NodeId;
  /** One name; for a batch one for each entry. */
  readonly names: readonly string[];
  /** Numbers of the commands of a batch; empty for others. */
  readonly commands: readonly number[];
  state: RequestState;
}

/** Where a request stands. */
export type RequestState =
  | { readonly is: "waiting" }
  | { readonly is: "accepted"; readonly from: Index; readonly term: Term }
  | { readonly is: "refused"; readonly reason: string }
  | { readonly is: "ready"; readonly index: Index }
  | { readonly is: "value"; readonly index: Index; readonly value: string }
  | { readonly is: "failed"; readonly reason: string };

/** The core answers a transfer under this number. */
const TRANSFER_ID = 0;

/** The register of all requests of a scenario. */
export class Requests {
  readonly #byId = new Map<number, Request>();
  readonly #byName = new Map<string, Request>();
  #next = 1;

  /** Registers a request; its names must be new. */
  add(kind: RequestKind, node: NodeId, names: readonly string[], commands: number[] = []): Request {
    const request: Request = {
      id: this.#next,
      kind,
      node,
      names,
      commands,
      state: { is: "waiting" },
    };
    this.#next += 1;
    this.#byId.set(request.id, request);
    for (const name of names) this.#byName.set(name, request);
    return request;
  }

  byName(name: string): Request | undefined {
    return this.#byName.get(name);
  }

  /** `x`, or `x,y` for a batch. */
  nameOf(id: number): string {
    if (id === TRANSFER_ID) return "the transfer";
    const names = this.#byId.get(id)?.names ?? [`#${id}`];
    return names.length > 3 ? `${names[0]}..${names.at(-1)}` : names.join(",");
  }

  /** Takes an answer of a core. */
  note(output: Output): void {
    switch (output.kind) {
      case "accepted":
        this.#answer(output.id, { is: "accepted", from: output.from, term: output.term });
        break;
      case "refused":
        this.#answer(output.id, { is: "refused", reason: output.reason });
        break;
      case "readReady":
        // If the state machine was there already, the read is over by now.
        if (this.#byId.get(output.id)?.state.is === "waiting") {
          this.#answer(output.id, { is: "ready", index: output.index });
        }
        break;
      case "readFailed":
        this.#answer(output.id, { is: "failed", reason: output.reason });
        break;
      default:
        break;
    }
  }

  /** A read has its value, or may not use it. */
  ended(id: number, state: RequestState): void {
    this.#answer(id, state);
  }

  #answer(id: number, state: RequestState): void {
    const request = this.#byId.get(id);
    if (request !== undefined) request.state = state;
  }
}

/** A state in words, as `expect` writes it. */
export function stateText(state: RequestState): string {
  switch (state.is) {
    case "waiting":
      return "waiting";
    case "accepted":
      return "pending";
    case "refused":
      return `refused ${state.reason}`;
    case "ready":
      return `ready ${state.index}`;
    case "value":
      return `value ${state.value} at ${state.index}`;
    case "failed":
      return `failed ${state.reason}`;
  }
}
