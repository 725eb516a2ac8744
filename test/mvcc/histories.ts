/**
 * Random histories of several clients, and what each transaction read and wrote. Support for the
 * tests.
 *
 * Clients take turns at random between any two calls; commits overlap as well. Every value names
 * the transaction that wrote it, so that a read tells whom it read from.
 */
import { isCairnError } from "#base";
import type { IsolationLevel, Mvcc, Transaction } from "#mvcc/types";
import type { Random } from "#platform/types";
import { b, s } from "./support.ts";

/** How histories are drawn. */
export interface HistoryShape {
  readonly clients: number;
  readonly transactions: number;
  readonly keys: number;
  readonly level: IsolationLevel;
}

/** A committed transaction. */
export interface Committed {
  /** Its place in the order of beginning; 0 is the state before all. */
  readonly id: number;
  readonly timestamp: number;
  /** For each key that it read before writing it: who had written it; 0: nobody. */
  readonly reads: ReadonlyMap<string, number>;
  /** Keys that it wrote or deleted. */
  readonly writes: ReadonlySet<string>;
}

/** What became of a history. */
export interface History {
  readonly committed: readonly Committed[];
  readonly conflicts: number;
}

interface Client {
  readonly id: number;
  readonly transaction: Transaction;
  readonly reads: Map<string, number>;
  readonly writes: Set<string>;
  steps: number;
}

/** Keys of a history: its prefix keeps it apart from others in the same store. */
const keyOf = (prefix: string, index: number): string =>
  `${prefix}/${String(index).padStart(3, "0")}`;

/** Plays one history on a store. */
export async function playHistory(
  mvcc: Mvcc,
  random: Random,
  shape: HistoryShape,
  prefix: string,
): Promise<History> {
  const player = new Player(mvcc, random, shape, prefix);
  await player.play();
  return { committed: player.committed, conflicts: player.conflicts };
}

class Player {
  readonly committed: Committed[] = [];
  conflicts = 0;
  readonly #mvcc: Mvcc;
  readonly #random: Random;
  readonly #shape: HistoryShape;
  readonly #prefix: string;
  readonly #clients: (Client | null)[];
  readonly #commits: Promise<void>[] = [];
  #begun = 0;

  constructor(mvcc: Mvcc, random: Random, shape: HistoryShape, prefix: string) {
    this.#mvcc = mvcc;
    this.#random = random;
    this.#shape = shape;
    this.#prefix = prefix;
    this.#clients = Array.from({ length: shape.clients }, () => null);
  }

  async play(): Promise<void> {
    for (;;) {
      const place = this.#random.below(this.#clients.length);
      const client = this.#clients[place]!;
      if (client === null) {
        if (this.#begun === this.#shape.transactions) {
          if (this.#clients.every((one) => one === null)) break;
          continue;
        }
        this.#clients[place] = this.#begin();
      } else if (client.steps > 0) {
        client.steps -= 1;
        this.#act(client);
      } else {
        this.#clients[place] = null;
        const commit = this.#commit(client);
        // Some wait for the outcome before anybody goes on, others do not.
        if (this.#random.below(2) === 0) await commit;
        else this.#commits.push(commit);
      }
    }
    await Promise.all(this.#commits);
  }

  #begin(): Client {
    this.#begun += 1;
    return {
      id: this.#begun,
      transaction: this.#mvcc.begin({ level: this.#shape.level }),
      reads: new Map(),
      writes: new Set(),
      steps: 1 + this.#random.below(5),
    };
  }

  #act(client: Client): void {
    const key = keyOf(this.#prefix, this.#random.below(this.#shape.keys));
    switch (this.#random.below(5)) {
      case 0:
        this.#scan(client);
        break;
      case 1:
      case 2:
        this.#read(client, key, s(client.transaction.get(b(key))));
        break;
      case 3:
        client.transaction.put(b(key), b(`${client.id} `));
        client.writes.add(key);
        break;
      default:
        // Read, then write: what an update does.
        this.#read(client, key, s(client.transaction.get(b(key))));
        client.transaction.put(b(key), b(`${client.id} `));
        client.writes.add(key);
    }
  }

  /** A scan has read every key of its range, those that are not there as well. */
  #scan(client: Client): void {
    const { random, keys } = { random: this.#random, keys: this.#shape.keys };
    const from = random.below(keys);
    const before = from + 1 + random.below(keys - from);
    const found = new Map<string, string>();
    const range = { from: b(keyOf(this.#prefix, from)), before: b(keyOf(this.#prefix, before)) };
    const reverse = random.below(2) === 0;
    for (const [key, value] of client.transaction.scan({ ...range, reverse })) {
      found.set(s(key)!, s(value)!);
    }
    for (let index = from; index < before; index += 1) {
      const key = keyOf(this.#prefix, index);
      this.#read(client, key, found.get(key));
    }
  }

  #read(client: Client, key: string, value: string | undefined): void {
    const writer = value === undefined ? 0 : Number.parseInt(value, 10);
    if (client.writes.has(key)) {
      if (writer !== client.id) throw new Error(`T1: ${client.id} does not see its own ${key}`);
    } else if (!client.reads.has(key)) {
      client.reads.set(key, writer);
    } else if (client.reads.get(key) !== writer) {
      throw new Error(`T1: ${client.id} read ${key} twice, and differently`);
    }
  }

  async #commit({ id, transaction, reads, writes }: Client): Promise<void> {
    try {
      const timestamp = await transaction.commit();
      this.committed.push({ id, timestamp, reads, writes });
    } catch (error) {
      if (!isCairnError(error, "MVCC_CONFLICT")) throw error;
      this.conflicts += 1;
    }
  }
}
