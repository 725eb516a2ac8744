/**
 * The words behind a verb, taken one after the other: numbers, nodes, links, `name=value` pairs.
 *
 * Invariant: a word that is not understood is an error that names its line and column; no word is
 * passed over. Chapter: 11-simulation.
 */
import type { NodeId } from "#raft/types";
import { type Command, ScenarioError, type Word } from "./script.ts";

/** From whom, to whom; undefined: anybody. */
export interface Link {
  readonly from: NodeId | undefined;
  readonly to: NodeId | undefined;
}

const LINK = /^(\d+|\*)(->|--)(\d+|\*)$/;
const PAIR = /^([A-Za-z]+)=(.*)$/s;

/** Reads the words of one command. */
export class Arguments {
  readonly command: Command;
  /** Place of the next word; the verb is at 0. */
  position: number;

  /** @param position - of the first word behind the verb. */
  constructor(command: Command, position = 1) {
    this.command = command;
    this.position = position;
  }

  get isEmpty(): boolean {
    return this.position >= this.command.words.length;
  }

  /** The next word, not taken. */
  peek(): string | undefined {
    return this.command.words[this.position]?.text;
  }

  /** Takes the next word. */
  word(what: string): string {
    return this.#take(what).text;
  }

  /** Takes the next word if it is this one. */
  skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.position += 1;
    return true;
  }

  /** Takes the next word, which is one of these. */
  oneOf<T extends string>(choices: readonly T[]): T {
    const word = this.#take(choices.join(" or "));
    const found = choices.find((choice) => choice === word.text);
    if (found === undefined) this.fail(`expected ${choices.join(" or ")}`, word);
    return found;
  }

  /** Takes the next word if it is one of these. */
  maybeOneOf<T extends string>(choices: readonly T[]): T | undefined {
    const text = this.peek();
    return choices.some((choice) => choice === text) ? this.oneOf(choices) : undefined;
  }

  number(what: string): number {
    const word = this.#take(what);
    return this.#numberOf(word.text, what, word);
  }

  /** Takes the next word if it is a number. */
  maybeNumber(): number | undefined {
    return /^-?\d+(\.\d+)?$/.test(this.peek() ?? "") ? this.number("a number") : undefined;
  }

  /** Takes `1`, `1,2` or `all`. */
  nodes(all: readonly NodeId[]): NodeId[] {
    const word = this.#take("a node, nodes with commas, or all");
    if (word.text === "all") return [...all];
    return this.#listOf(word.text, "a node", word);
  }

  /** Takes `1->2`, `*->2`, `1->*` if the next word is one. `1--2` gives both ways. */
  links(): Link[] | undefined {
    const match = LINK.exec(this.peek() ?? "");
    if (match === null) return undefined;
    this.position += 1;
    const end = (text: string): NodeId | undefined => (text === "*" ? undefined : Number(text));
    const link = { from: end(match[1]!), to: end(match[3]!) };
    return match[2] === "->" ? [link] : [link, { from: link.to, to: link.from }];
  }

  /** Takes a link between two nodes. */
  link(): { from: NodeId; to: NodeId } {
    const [link] = this.links() ?? [];
    const from = link?.from;
    const to = link?.to;
    if (from === undefined || to === undefined) return this.fail("expected a link, like 1->2");
    return { from, to };
  }

  /** Takes all that is left as `name=value` pairs. Their names must be among these. */
  pairs(names: readonly string[]): Pairs {
    const values = new Map<string, { readonly text: string; readonly word: Word }>();
    while (!this.isEmpty) {
      const word = this.#take("name=value");
      const match = PAIR.exec(word.text);
      const name = match?.[1] ?? "";
      if (match === null || !names.includes(name)) {
        this.fail(`expected one of ${names.map((known) => `${known}=`).join(" ")}`, word);
      }
      values.set(name, { text: match[2]!, word });
    }
    return new Pairs(this, values);
  }

  /** Nothing may be left. */
  end(): void {
    if (!this.isEmpty) this.fail("too many words");
  }

  /** The text is not understood at a word; by default at the next one. */
  fail(message: string, word?: Word): never {
    const at = word ?? this.command.words[this.position];
    const got = at === undefined ? "the end of the line" : `"${at.text}"`;
    return this.wrong(`${message}, got ${got}`, at);
  }

  /** It is understood, and things are not so. */
  wrong(message: string, word?: Word): never {
    const { line, words } = this.command;
    const last = words.at(-1)!;
    throw new ScenarioError(line, word?.column ?? last.column, message);
  }

  #take(what: string): Word {
    const word = this.command.words[this.position];
    if (word === undefined) return this.fail(`expected ${what}`);
    this.position += 1;
    return word;
  }

  #numberOf(text: string, what: string, word: Word): number {
    const value = Number(text);
    if (text === "" || !Number.isFinite(value)) this.fail(`expected ${what}`, word);
    return value;
  }

  #listOf(text: string, what: string, word: Word): number[] {
    if (text === "") return [];
    return text.split(",").map((part) => this.#numberOf(part, what, word));
  }

  /** For pairs: a number, or a list of numbers, out of the value of a word. */
  numberIn(text: string, word: Word): number {
    return this.#numberOf(text, "a number", word);
  }

  listIn(text: string, word: Word): number[] {
    return this.#listOf(text, "numbers with commas", word);
  }
}

/** `name=value` pairs of one command. */
export class Pairs {
  readonly #owner: Arguments;
  readonly #values: ReadonlyMap<string, { readonly text: string; readonly word: Word }>;

  constructor(
    owner: Arguments,
    values: ReadonlyMap<string, { readonly text: string; readonly word: Word }>,
  ) {
    this.#owner = owner;
    this.#values = values;
  }

  get names(): string[] {
    return [...this.#values.keys()];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.text;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : this.#owner.numberIn(value.text, value.word);
  }

  list(name: string): number[] | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : this.#owner.listIn(value.text, value.word);
  }

  /** Stops with a message at the word of this pair. */
  fail(name: string, message: string): never {
    return this.#owner.fail(message, this.#values.get(name)?.word);
  }
}
