/**
 * Names for entries: those that the scenario gave, `noop`, sets of configurations, and `e3` for the
 * third entry of a log that a node began with.
 *
 * Invariant: one name, one content: a forged entry with a known name is that very entry.
 * Chapter: 11-simulation.
 */
import type { VoterSets } from "#raft/types";
import { type Command, entriesOfTerms, type ModelEntry, makeEntry } from "../process/index.ts";
import type { NamedEntry } from "./message-text.ts";
import { setsText } from "./message-text.ts";

const PRELOADED = /^e(\d+)$/;
/** Bytes of an entry unless the scenario says otherwise. */
export const ENTRY_BYTES = 10;
const CONFIGURATION_BYTES = 40;

export class EntryNames {
  readonly #commands = new Map<string, Command>();
  readonly #names = new Map<number, string>();

  /** The command behind a name; makes it if it is new. It puts the name under itself. */
  commandOf(name: string): Command {
    const known = this.#commands.get(name);
    if (known !== undefined) return known;
    const id = this.#commands.size + 1;
    const command: Command = { id, kind: "put", key: name, value: name, client: 0, serial: 0 };
    this.#commands.set(name, command);
    this.#names.set(id, name);
    return command;
  }

  isTaken(name: string): boolean {
    return this.#commands.has(name) || PRELOADED.test(name) || name === "noop";
  }

  nameOf({ command, sets }: ModelEntry): string {
    if (command !== undefined) return this.#names.get(command.id) ?? `e${-command.id}`;
    return sets === undefined ? "noop" : setsText(sets);
  }

  /** Entries as a forger writes them. The receiver puts them behind its own past. */
  forged(entries: readonly NamedEntry[], sizes: readonly number[]): ModelEntry[] {
    return entries.map(({ name, term, sets }, i) =>
      makeEntry(0, term, this.#contentOf(name, sets, sizes[i] ?? ENTRY_BYTES)),
    );
  }

  #contentOf(
    name: string,
    sets: VoterSets | undefined,
    size: number,
  ): Parameters<typeof makeEntry>[2] {
    if (sets !== undefined) return { size: CONFIGURATION_BYTES, sets };
    if (name === "noop") return { size: 0 };
    const place = PRELOADED.exec(name)?.[1];
    if (place === undefined) return { size, command: this.commandOf(name) };
    const terms = Array<number>(Number(place)).fill(1);
    return { size, command: entriesOfTerms(terms).at(-1)!.command };
  }
}
