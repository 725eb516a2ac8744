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
import type { FromWriter, ToWriter, WriterData } from "./thread-protocol.ts";
import { openWriterMachine, type WriterMachine } from "./writer-machine.ts";

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
  readonly #machine: WriterMachine;
  readonly #host: MachineHost;
  readonly #clock = createNodeClock();
  #cancelNotice: Cancel | undefined;
  #unnoticedBytes = 0;

  constructor(
    main: Port<FromWriter, ToWriter>,
    applier: Port<FromMachine, ToMachine>,
    machine: WriterMachine,
  ) {
    this.#main = main;
    this.#applier = applier;
    this.#machine = machine;
    this.#host = createMachineHost({
      machine: machine.hosted,
      onResults: (entries, results) => this.#onResults(entries, results),
      onInstalled: () => this.notice(),
      onFatal: (error) => this.#onFatal(error),
    });
  }

  start(): void {
    this.#main.onMessage((message) => this.#onMessage(message));
    serveApplier(this.#applier, this.#host, (error) => this.#onFatal(error));
    const { hosted, newestIndex } = this.#machine;
    this.#main.post({ kind: "opened", appliedIndex: hosted.appliedIndex(), newestIndex });
  }

  /** Nothing may be applied behind a gap; the main thread stops the process. */
  #onFatal(error: unknown): void {
    this.#host.stop();
    this.#main.post({ kind: "fatal", error: toWireError(error) });
  }

  #onResults(entries: readonly CommittedEntry[], results: Results): void {
    this.#postResults(entries, results);
    for (const { payload } of entries) this.#unnoticedBytes += payload.length;
    if (this.#unnoticedBytes > NOTICE_BYTES_MAX) this.notice();
    else this.#cancelNotice ??= this.#clock.after(NOTICE_MS, () => this.notice());
  }

  /** Tells consensus what is applied and durable. */
  notice(): void {
    this.#cancelNotice?.();
    this.#cancelNotice = undefined;
    this.#unnoticedBytes = 0;
    const { hosted } = this.#machine;
    this.#applier.post({
      appliedIndex: hosted.appliedIndex(),
      durableIndex: hosted.durableIndex(),
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
    if (message.kind === "close") void this.#close();
    else void this.#answer(message);
  }

  async #answer(message: Exclude<ToWriter, { kind: "close" }>): Promise<void> {
    const { id } = message;
    try {
      const value = await this.#do(message);
      this.#main.post({ kind: "answer", id, outcome: { ok: true, value } });
    } catch (error) {
      this.#main.post({ kind: "answer", id, outcome: { ok: false, error: toWireError(error) } });
    }
  }

  async #do(message: Exclude<ToWriter, { kind: "close" }>): Promise<unknown> {
    switch (message.kind) {
      case "status":
        return this.#machine.status();
      case "readKv":
        return this.#machine.readKv(message.read);
      case "checkpoint": {
        const isNew = await this.#machine.checkpoint();
        this.notice();
        return isNew;
      }
    }
  }

  async #close(): Promise<void> {
    this.#host.stop();
    this.#cancelNotice?.();
    try {
      await this.#machine.close();
    } finally {
      this.#applier.close();
      this.#main.post({ kind: "closed" });
      this.#main.close();
    }
  }
}

const { port, data } = threadStart<FromWriter, ToWriter, WriterData>();

async function open({ options, applierPort }: WriterData): Promise<void> {
  let host: WriterHost | undefined;
  const machine = await openWriterMachine(options, () => host?.notice());
  host = new WriterHost(port, wrapPort(applierPort), machine);
  host.start();
}

open(data).catch((error: unknown) => port.post({ kind: "fatal", error: toWireError(error) }));
