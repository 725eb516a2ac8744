/**
 * One client: one operation after the other, each until it is answered, refused for good, or too
 * late.
 *
 * A node that refuses is left for another. What was taken and not answered is unknown; with a
 * session the client may ask again, and it runs once all the same.
 * Invariant: `failed` is told only if no try can still be committed. Chapter: 11-simulation.
 */
import type { NodeId, Output } from "#raft/types";
import type { Command, CommandResult, ReadOutcome } from "../process/index.ts";
import type { EventQueue } from "./event-queue.ts";
import { type Host, MS } from "./host.ts";
import type { ClientAction } from "./types.ts";
import { inputOf, type OpenOperation, type Workload } from "./workload.ts";

/** Rest before another node is asked. */
const RETRY_MS = 25;
/** An answer is waited for so many election timeouts. */
const PATIENCE_TIMEOUTS = 3;
/** In a session, one try is waited for so many election timeouts before the next is made. */
const TRY_TIMEOUTS = 1;
const TRIES_MAX = 60;

/** What a client needs from the world. */
export interface ClientWorld {
  readonly queue: EventQueue;
  readonly hosts: ReadonlyMap<NodeId, Host>;
  readonly workload: Workload;
  readonly electionTimeoutMs: number;
  readonly sessions: boolean;
  /** Members that a client would know of. */
  members(): readonly NodeId[];
  /** A number for a request, and who hears what becomes of it. */
  request(answered: (host: Host, output: Output) => void): number;
  readRequest(ended: (outcome: ReadOutcome | "refused") => void): number;
}

/** One operation under way. */
interface Attempt {
  readonly open: OpenOperation;
  readonly command: Command | undefined;
  readonly startedAt: number;
  tries: number;
  /** Tries that were taken and may still be committed. */
  pending: number;
  /** Grows with each try: answers that concern an earlier one start no further. */
  current: number;
  isOver: boolean;
}

/** See the file's header. */
export class Client {
  readonly #world: ClientWorld;
  readonly #id: number;
  readonly #actions: readonly ClientAction[];
  #next = 0;
  #serial = 0;
  /** A client that gave up is another process from then on. */
  #process: number;
  #leader: NodeId = 0;
  isStopped = false;
  /** Called when an operation has ended. */
  onEnd: (ok: boolean) => void = () => undefined;

  constructor(world: ClientWorld, id: number, actions: readonly ClientAction[]) {
    this.#world = world;
    this.#id = id;
    this.#process = id;
    this.#actions = actions;
  }

  /** Rests, and then does the next action. */
  next(): void {
    const action = this.#actions[this.#next];
    if (action === undefined || this.isStopped) return;
    this.#next += 1;
    this.#world.queue.after(action.thinkMs * MS, () => {
      if (!this.isStopped) this.#begin(action);
    });
  }

  /** An action out of turn; the run's last check of the service. */
  doNow(action: ClientAction): void {
    this.#begin(action);
  }

  #begin(action: ClientAction): void {
    const { workload, queue } = this.#world;
    const open = workload.begin(action, this.#process);
    const attempt: Attempt = {
      open,
      command: action.kind === "get" ? undefined : this.#commandOf(action),
      startedAt: queue.now,
      tries: 0,
      pending: 0,
      current: 0,
      isOver: false,
    };
    queue.after(this.#timeouts(PATIENCE_TIMEOUTS), () => this.#giveUp(attempt));
    this.#try(attempt);
  }

  #commandOf(action: ClientAction): Command {
    const input = inputOf(action, this.#world.workload);
    this.#serial += 1;
    const { sessions } = this.#world;
    return {
      id: action.id,
      kind: action.kind === "cas" ? "cas" : "put",
      key: action.key,
      value: action.value,
      ...(input.kind === "cas" ? { expected: input.expected } : {}),
      client: sessions ? this.#id : 0,
      serial: sessions ? this.#serial : 0,
    };
  }

  #timeouts(count: number): number {
    return count * this.#world.electionTimeoutMs * MS;
  }

  #try(attempt: Attempt): void {
    if (attempt.isOver) return;
    attempt.tries += 1;
    attempt.current += 1;
    const { current } = attempt;
    const host = this.#chooseHost(attempt);
    if (attempt.tries > TRIES_MAX) {
      this.#giveUp(attempt);
      return;
    }
    const retry = (): void => this.#retry(attempt, current);
    const isUp =
      host !== undefined &&
      (attempt.command === undefined
        ? this.#read(attempt, host, retry)
        : this.#propose(attempt, attempt.command, host, retry));
    if (!isUp) {
      this.#leader = 0;
      retry();
    }
  }

  #retry(attempt: Attempt, current: number): void {
    this.#world.queue.after(RETRY_MS * MS, () => {
      if (attempt.current === current) this.#try(attempt);
    });
  }

  #chooseHost({ open, tries }: Attempt): Host | undefined {
    const { action } = open;
    const members = this.#world.members();
    const free = action.kind === "get" && action.anywhere && action.via === "index";
    const known = this.#leader !== 0 && !free ? this.#leader : undefined;
    const id = known ?? members[(action.choice + tries) % members.length];
    return id === undefined ? undefined : this.#world.hosts.get(id);
  }

  #propose(attempt: Attempt, command: Command, host: Host, retry: () => void): boolean {
    const id = this.#world.request((at, output) => {
      if (output.kind === "accepted") this.#accepted(attempt, at, output, retry);
      else if (output.kind === "refused") {
        this.#learnLeader(at, output.reason === "not-leader");
        if (!attempt.isOver) retry();
      }
    });
    // Until the node has answered, the request may be in its buffers and be taken later.
    const batch = [{ command, size: attempt.open.action.bytes }];
    attempt.pending += 1;
    const isUp = host.act(() => {
      attempt.pending -= 1;
      host.node.propose(host.localNow, id, batch);
    });
    if (!isUp) attempt.pending -= 1;
    return isUp;
  }

  #accepted(
    attempt: Attempt,
    host: Host,
    output: Extract<Output, { kind: "accepted" }>,
    retry: () => void,
  ): void {
    const { command } = attempt;
    if (command === undefined) return;
    attempt.pending += 1;
    this.#leader = host.id;
    host.waiting.set(output.from, {
      commandId: command.id,
      ended: (outcome, _index, result) => {
        if (outcome === "applied") {
          attempt.pending -= 1;
          this.#wrote(attempt, result as CommandResult);
        } else if (outcome === "lost") {
          attempt.pending -= 1;
          this.#leader = 0;
          if (!attempt.isOver) retry();
        } else if (command.client !== 0 && !attempt.isOver) {
          this.#leader = 0;
          retry();
        }
      },
    });
    if (command.client === 0) return;
    // A session makes it safe to ask again although the first try may still be committed.
    this.#world.queue.after(this.#timeouts(TRY_TIMEOUTS), () => {
      if (attempt.isOver) return;
      this.#leader = 0;
      retry();
    });
  }

  #read(attempt: Attempt, host: Host, retry: () => void): boolean {
    const { action } = attempt.open;
    const via = attempt.tries % 2 === 1 ? action.via : "index";
    const { current } = attempt;
    const id = this.#world.readRequest((outcome) => {
      if (attempt.isOver || attempt.current !== current) return;
      if (outcome !== "refused" && outcome.kind === "value") {
        attempt.isOver = true;
        this.#world.workload.read(attempt.open, outcome.index, outcome.value);
        this.#over(true);
      } else {
        this.#leader = 0;
        retry();
      }
    });
    // A node that stands still, or ends, answers nothing.
    this.#world.queue.after(this.#timeouts(TRY_TIMEOUTS), () => {
      if (!attempt.isOver && attempt.current === current) retry();
    });
    return host.act(() => host.node.read(host.localNow, { id, via, key: action.key }));
  }

  #learnLeader(host: Host, isWrong: boolean): void {
    const hint = host.node.core?.leader ?? 0;
    this.#leader = isWrong && hint !== host.id ? hint : 0;
  }

  #wrote(attempt: Attempt, result: CommandResult): void {
    if (attempt.isOver || result.ranAt === 0) return;
    attempt.isOver = true;
    this.#world.workload.wrote(attempt.open, result);
    this.#over(true);
  }

  #giveUp(attempt: Attempt): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    attempt.current += 1;
    if (attempt.pending === 0) this.#world.workload.failed(attempt.open);
    else {
      this.#world.workload.unknown(attempt.open);
      this.#process += 100;
    }
    this.#over(false);
  }

  #over(ok: boolean): void {
    this.onEnd(ok);
    this.next();
  }
}
