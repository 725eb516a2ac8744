/**
 * What happens when: a binary heap by virtual time, and by the order of asking among equal times.
 *
 * Times are whole microseconds. Invariant: time never goes back. Chapter: 11-simulation.
 */

interface SimulatedEvent {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

/** Makes an empty queue. @param shuffle - see `EventQueue`. */
export function createEventQueue(shuffle?: (count: number) => number): EventQueue {
  return new EventQueue(shuffle);
}

/** See the file's header. */
export class EventQueue {
  readonly #heap: SimulatedEvent[] = [];
  readonly #shuffle: ((count: number) => number) | undefined;
  #count = 0;
  /** Microseconds. */
  now = 0;

  /** @param shuffle - orders equal times by chance: gives a number for the n-th event. */
  constructor(shuffle?: (count: number) => number) {
    this.#shuffle = shuffle;
  }

  get size(): number {
    return this.#heap.length;
  }

  at(time: number, act: () => void): void {
    this.#count += 1;
    const order = this.#shuffle === undefined ? this.#count : this.#shuffle(this.#count);
    const at = Math.max(Math.ceil(time), this.now);
    const heap = this.#heap;
    const event: SimulatedEvent = { at, order, act };
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent]!;
      if (above.at < at || (above.at === at && above.order <= order)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  after(micros: number, act: () => void): void {
    this.at(this.now + micros, act);
  }

  /** Runs everything up to and at `time`, and goes there. */
  runUntil(time: number): void {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]!.at <= time) {
      const event = this.#pop();
      this.now = event.at;
      event.act();
    }
    this.now = Math.max(this.now, time);
  }

  #pop(): SimulatedEvent {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= length) break;
      const right = child + 1;
      if (right < length && isBefore(heap[right]!, heap[child]!)) child = right;
      if (!isBefore(heap[child]!, last)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one: SimulatedEvent, other: SimulatedEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
