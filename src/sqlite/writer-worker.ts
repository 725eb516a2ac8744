/**
 * The thread of the one SQL writer.
 *
 * It applies whatever entries have queued up while the last batch was applied: a lone entry is
 * never kept waiting, and a flood shares transactions. Invariant: entries are applied in the order
 * in which they came, and a result leaves only after its transaction has been committed.
 * Chapter: 09-sqlite.
 */
import type { Cancel } from "#base";
import { createNodeClock, type Port, threadStart, wrapPort } from "#platform";
import {
  createMachineHost,
  type FromMachine,
  type MachineHost,
  type Results,
  serveApplier,
  type ToMachine,
  toWireError,
} from "#replica";
import type { CommittedEntry } from "#replica/types";
import { openSqliteMachine } from "./machine.ts";
import type { FromWriter, ToWriter, WriterData } from "./thread-protocol.ts";
import type { SqliteMachine } from "./types.ts";

/**
 * Consensus hears of what was applied within so many milliseconds, or when so many bytes have been:
 * it needs it for flow control and for shortening the log, and waking its thread for each entry
 * would cost more than the entry.
 */
const NOTICE_MS = 3;
const NOTICE_BYTES_MAX = 256 * 1024;

class WriterHost {
  readonly #main: Port<FromWriter, ToWriter>;
  readonly #applier: Port<FromMachine, ToMachine>;
  readonly #machine: SqliteMachine;
  readonly #host: MachineHost;
  readonly #clock = createNodeClock();
  #cancelNotice: Cancel | undefined;
  #unnoticedBytes = 0;

  constructor(main: Port<FromWriter, ToWriter>, { options, applierPort }: WriterData) {
    this.#main = main;
    this.#applier = wrapPort(applierPort);
    this.#machine = openSqliteMachine(options);
    this.#host = createMachineHost({
      machine: this.#machine,
      onResults: (entries, results) => this.#onResults(entries, results),
      onInstalled: () => this.#notice(),
      onFatal: (error) => this.#onFatal(error),
    });
  }

  start(): void {
    this.#main.onMessage((message) => this.#onMessage(message));
    serveApplier(this.#applier, this.#host, (error) => this.#onFatal(error));
    this.#main.post({ kind: "opened", appliedIndex: this.#machine.appliedIndex() });
  }

  /** Nothing may be applied behind a gap; the main thread stops the process. */
  #onFatal(error: unknown): void {
    this.#host.stop();
    this.#main.post({ kind: "fatal", error: toWireError(error) });
  }

  #onResults(entries: readonly CommittedEntry[], results: Results): void {
    this.#postResults(entries, results);
    for (const { payload } of entries) this.#unnoticedBytes += payload.length;
    if (this.#unnoticedBytes > NOTICE_BYTES_MAX) this.#notice();
    else this.#cancelNotice ??= this.#clock.after(NOTICE_MS, () => this.#notice());
  }

  #notice(): void {
    this.#cancelNotice?.();
    this.#cancelNotice = undefined;
    this.#unnoticedBytes = 0;
    this.#applier.post({
      appliedIndex: this.#machine.appliedIndex(),
      durableIndex: this.#machine.durableIndex(),
    });
  }

  /** One message with one array of bytes, however many results there are. */
  #postResults(entries: readonly CommittedEntry[], results: Results): void {
    const wanted = entries.flatMap(({ proposalId, index }, at) => {
      const result = results[at] ?? null;
      return proposalId === 0 || result === null ? [] : [{ proposalId, index, result }];
    });
    if (wanted.length === 0) return;
    const bytes = new Uint8Array(wanted.reduce((size, { result }) => size + result.length, 0));
    const ends: number[] = [];
    let end = 0;
    for (const { result } of wanted) {
      bytes.set(result, end);
      end += result.length;
      ends.push(end);
    }
    const ids = wanted.map(({ proposalId }) => proposalId);
    const indexes = wanted.map(({ index }) => index);
    this.#main.post({ kind: "results", ids, indexes, ends, bytes }, [bytes.buffer]);
  }

  #onMessage(message: ToWriter): void {
    if (message.kind === "close") this.#close();
    else this.#answer(message);
  }

  #answer({ kind, id }: Exclude<ToWriter, { kind: "close" }>): void {
    try {
      const value = kind === "status" ? this.#machine.status() : this.#machine.checkpoint();
      if (kind === "checkpoint") this.#notice();
      this.#main.post({ kind: "answer", id, outcome: { ok: true, value } });
    } catch (error) {
      this.#main.post({ kind: "answer", id, outcome: { ok: false, error: toWireError(error) } });
    }
  }

  #close(): void {
    this.#host.stop();
    this.#cancelNotice?.();
    this.#machine.close();
    this.#applier.close();
    this.#main.post({ kind: "closed" });
    this.#main.close();
  }
}

const { port, data } = threadStart<FromWriter, ToWriter, WriterData>();
try {
  new WriterHost(port, data).start();
} catch (error) {
  port.post({ kind: "fatal", error: toWireError(error) });
}
