/**
 * Packets that wait for a record to become durable.
 *
 * Invariant: those of one record leave in the order in which they were held.
 * Chapter: 11-simulation.
 */
import type { PersistSeq } from "#raft/types";
import type { Packet } from "./types.ts";

/** A packet, what it waits for, and what it acknowledges. */
export interface HeldPacket {
  readonly packet: Packet;
  readonly after: PersistSeq;
  /** The chain of the entry that it acknowledges, as it was when the packet was made; or 0. */
  readonly chain: number;
}

/** See the file's header. */
export class HeldPackets {
  readonly #held: HeldPacket[] = [];

  get packets(): readonly Packet[] {
    return this.#held.map(({ packet }) => packet);
  }

  hold(held: HeldPacket): void {
    this.#held.push(held);
  }

  /** Lets go what waits for a record up to this one. */
  release(seq: PersistSeq, post: (packet: Packet, chain: number) => void): void {
    const held = this.#held;
    let kept = 0;
    for (let i = 0; i < held.length; i += 1) {
      const one = held[i]!;
      if (one.after <= seq) post(one.packet, one.chain);
      else {
        held[kept] = one;
        kept += 1;
      }
    }
    held.length = kept;
  }

  forget(): void {
    this.#held.length = 0;
  }
}
