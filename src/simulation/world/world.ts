/**
 * Everything of one run in one place: hosts, network, clients, operator, faults, checks.
 *
 * Invariant: the same plan and the same core give the same run, step by step. Nothing here reads
 * a clock or draws by itself. Chapter: 11-simulation.
 */
import type { NodeId, Output, RaftModule, RaftOptions, VoterSets } from "#raft/types";
import { brokenInvariant, createInvariants, type Invariants } from "../invariants/index.ts";
import type { ModelNodeOptions, Observer, ReadOutcome, Surroundings } from "../process/index.ts";
import { Client, type ClientWorld } from "./client.ts";
import { Draws, Stream } from "./draws.ts";
import { EventQueue } from "./event-queue.ts";
import { Host, type HostWorld, MS } from "./host.ts";
import { Injector } from "./injector.ts";
import { Network } from "./network.ts";
import { Operator, type OperatorWorld } from "./operator.ts";
import { Trace } from "./trace.ts";
import type { ClientAction, Plan, ProposerAction, RunOptions } from "./types.ts";
import { Workload } from "./workload.ts";

/** L8 looks at one step of a leader in so many. */
const PROGRESS_EVERY = 16;

/** More steps than this in so little time are a storm; a busy cluster takes a tenth. */
const STORM_WINDOW_MS = 100;
const STORM_STEPS = 20_000;

/** How a run is made, beside its plan. */
export interface RunParts {
  /** The core under test. */
  readonly createRaftCore: RaftModule["createRaftCore"];
  /** Keeps the last steps in words. Default false. */
  readonly withWords?: boolean;
}

/** See the file's header. */
export class World implements HostWorld, OperatorWorld, ClientWorld {
  readonly options: RunOptions;
  readonly plan: Plan;
  readonly draws: Draws;
  readonly queue: EventQueue;
  readonly hosts = new Map<NodeId, Host>();
  readonly network: Network;
  readonly invariants: Invariants;
  readonly workload: Workload;
  readonly trace: Trace;
  readonly injector: Injector;
  readonly operator: Operator;
  readonly clients: Client[] = [];
  readonly #nodes = new Map<NodeId, Host["node"]>();
  readonly #answers = new Map<number, (host: Host, output: Output) => void>();
  readonly #reads = new Map<number, (outcome: ReadOutcome | "refused") => void>();
  readonly #createRaftCore: RaftModule["createRaftCore"];
  #requests = 0;
  #window = -1;
  #stepsBefore = 0;
  isCalm = false;

  constructor(plan: Plan, parts: RunParts) {
    const { options } = plan;
    this.plan = plan;
    this.options = options;
    this.#createRaftCore = parts.createRaftCore;
    const draws = new Draws(options.seed);
    this.draws = draws;
    this.queue = new EventQueue(
      options.shuffleTies
        ? (count) => draws.fraction(Stream.ties, 0, 0, count) * 2 ** 32
        : undefined,
    );
    this.trace = new Trace(parts.withWords === true);
    const voters = Array.from({ length: options.nodes }, (_, place) => place + 1);
    const sets: VoterSets = { voters, outgoing: [], learners: [] };
    this.invariants = createInvariants({
      nodes: this.#nodes,
      sets,
      localTimeOf: (node) => this.hosts.get(node)!.localNow,
      progressEvery: PROGRESS_EVERY,
      ...(options.core.leaseMs === undefined ? {} : { leaseMs: options.core.leaseMs }),
      ...(options.core.inFlightMax === undefined ? {} : { inFlightMax: options.core.inFlightMax }),
    });
    const { queue, hosts } = this;
    this.network = new Network({ queue, draws, settings: options.net, hosts });
    this.workload = new Workload(this.invariants.ledger);
    this.injector = new Injector(this);
    this.operator = new Operator(this);
    for (let id = 1; id <= options.nodes + options.spares; id += 1) {
      this.#addHost(id, id <= options.nodes ? sets : undefined);
    }
    for (let client = 1; client <= options.clients; client += 1) {
      const actions = plan.operations.filter(
        (one): one is ClientAction => one.by === "client" && one.client === client,
      );
      this.clients.push(new Client(this, client, actions));
    }
  }

  get electionTimeoutMs(): number {
    return this.options.core.electionTimeoutMs;
  }

  get sessions(): boolean {
    return this.options.sessions;
  }

  /** A node that leads in the highest term, as far as anybody can tell. */
  leader(): Host | undefined {
    let best: Host | undefined;
    for (const host of this.hosts.values()) {
      const { core } = host.node;
      if (core?.role !== "leader") continue;
      if (best === undefined || core.term > best.node.running.term) best = host;
    }
    return best;
  }

  members(): readonly NodeId[] {
    const { voters, learners } = this.invariants.ledger.configuration.sets;
    return learners.length === 0 ? voters : [...voters, ...learners];
  }

  request(answered: (host: Host, output: Output) => void): number {
    this.#requests += 1;
    this.#answers.set(this.#requests, answered);
    return this.#requests;
  }

  /** Numbers a read and notes who waits for it. */
  readRequest(ended: (outcome: ReadOutcome | "refused") => void): number {
    this.#requests += 1;
    this.#reads.set(this.#requests, ended);
    return this.#requests;
  }

  connectionsLost(node: NodeId): void {
    this.network.breakAll(node);
  }

  /** Entries without a client, at whoever leads. */
  propose({ id, count, bytes }: ProposerAction): void {
    for (const host of this.hosts.values()) {
      if (host.node.core?.role !== "leader") continue;
      const batch = Array.from({ length: count }, (_, place) => ({
        command: {
          id: id + place,
          kind: "put" as const,
          key: "k",
          value: id + place,
          client: 0,
          serial: 0,
        },
        size: bytes,
      }));
      host.act(() => host.node.propose(host.localNow, 0, batch));
    }
  }

  /** Plans actions from a time on. */
  schedule(actions: readonly ProposerAction[], fromMicros: number): void {
    for (const action of actions) {
      this.queue.at(fromMicros + action.at * MS, () => this.propose(action));
    }
  }

  #addHost(id: NodeId, sets: VoterSets | undefined): void {
    let draws = 0;
    const raft: RaftOptions = {
      ...this.options.core,
      self: id,
      random: () => {
        draws += 1;
        return this.draws.fraction(Stream.core, id, 0, draws);
      },
    };
    const surroundings = this.#surroundingsOf(id);
    const options: ModelNodeOptions = { raft, surroundings, ...(sets && { sets }) };
    const host = new Host(this, options);
    this.hosts.set(id, host);
    this.#nodes.set(id, host.node);
  }

  #surroundingsOf(id: NodeId): Surroundings {
    return {
      createRaftCore: this.#createRaftCore,
      observer: this.#observer(),
      post: (packet) => this.network.send(packet),
      told: (_node, output) => this.#told(id, output),
      applied: (_node, index, entry, result) => {
        this.workload.applied(index, entry, result);
        const { waiting } = this.hosts.get(id)!;
        const one = waiting.get(index);
        if (one === undefined) return;
        waiting.delete(index);
        const isOurs = entry.command?.id === one.commandId;
        one.ended(isOurs ? "applied" : "lost", index, result);
      },
      readEnded: (_node, read, outcome) => {
        const ended = this.#reads.get(read.id);
        this.#reads.delete(read.id);
        ended?.(outcome);
      },
      halted: (node, error) => {
        const text = error instanceof Error ? error.message : String(error);
        throw brokenInvariant("assert", node.id, `stopped: ${text}`, error);
      },
    };
  }

  /** The checks, and before them the trace: it shows the step that broke something. */
  #observer(): Observer {
    const { invariants, trace, queue } = this;
    return {
      started: (node, core) => invariants.started(node, core),
      stopped: (node) => invariants.stopped(node),
      steps: (node, core, input) => invariants.steps(node, core, input),
      stepped: (node, core, input, outputs) => {
        trace.step(queue.now, node.id, input, outputs);
        this.#checkStorm(node.id);
        invariants.stepped(node, core, input, outputs);
      },
      carriedOut: (node, core, now) => invariants.carriedOut(node, core, now),
      appended: (node, index, entry) => invariants.appended(node, index, entry),
      truncates: (node, from) => invariants.truncates(node, from),
      leaves: (node, packet, chain) => invariants.leaves(node, packet, chain),
      persisted: (node) => invariants.persisted(node),
      handedOut: (node, from, to) => invariants.handedOut(node, from, to),
      applied: (node, index, entry) => invariants.applied(node, index, entry),
      copied: (node, copy, moment) => invariants.copied(node, copy, moment),
      servesByLease: (node, index, until) => invariants.servesByLease(node, index, until),
    };
  }

  /** L14 for the whole cluster: answers to answers must not multiply. */
  #checkStorm(node: NodeId): void {
    const window = Math.floor(this.queue.now / (STORM_WINDOW_MS * MS));
    if (window !== this.#window) {
      this.#window = window;
      this.#stepsBefore = this.trace.steps;
    } else if (this.trace.steps - this.#stepsBefore > STORM_STEPS) {
      const text = `takes part in a storm: ${STORM_STEPS} steps in ${STORM_WINDOW_MS} ms`;
      throw brokenInvariant("L14", node, text);
    }
  }

  #told(id: NodeId, output: Output): void {
    if (output.kind !== "accepted" && output.kind !== "refused") return;
    const answered = this.#answers.get(output.id);
    if (answered !== undefined) {
      this.#answers.delete(output.id);
      answered(this.hosts.get(id)!, output);
      return;
    }
    const read = this.#reads.get(output.id);
    this.#reads.delete(output.id);
    read?.("refused");
  }
}
