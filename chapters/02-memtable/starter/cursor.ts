/**
 * A cursor over every version: by key ascending, and for one key from the newest to the oldest.
 *
 * What it has passed it does not meet again, whatever is written between two steps.
 * Chapter: 02-memtable, step 02.4
 */
import { type Bytes, type Cursor, notWritten, type Sequence } from "#base";
import type { KeyOrder } from "./order.ts";

/** Makes a cursor that stands nowhere. */
export function createCursor(order: KeyOrder): Cursor {
  return new VersionCursor(order);
}

class VersionCursor implements Cursor {
  readonly order: KeyOrder;

  constructor(order: KeyOrder) {
    this.order = order;
  }

  get valid(): boolean {
    return notWritten("02.4", "Cursor.valid");
  }

  get key(): Bytes {
    return notWritten("02.4", "Cursor.key");
  }

  get value(): Bytes {
    return notWritten("02.4", "Cursor.value");
  }

  get sequence(): Sequence {
    return notWritten("02.4", "Cursor.sequence");
  }

  get isDeletion(): boolean {
    return notWritten("02.4", "Cursor.isDeletion");
  }

  seekFirst(): void {
    notWritten("02.4", "Cursor.seekFirst");
  }

  seekLast(): void {
    notWritten("02.4", "Cursor.seekLast");
  }

  seek(_key: Bytes): void {
    notWritten("02.4", "Cursor.seek");
  }

  seekBefore(_key: Bytes): void {
    notWritten("02.4", "Cursor.seekBefore");
  }

  next(): void {
    notWritten("02.4", "Cursor.next");
  }

  prev(): void {
    notWritten("02.4", "Cursor.prev");
  }

  close(): void {
    notWritten("02.4", "Cursor.close");
  }
}
