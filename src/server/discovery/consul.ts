/**
 * Consul's key-value store, over its HTTP API.
 *
 * Key `<disco-key>/leader`. Invariant: the key is made only with `cas=0`, which Consul refuses if
 * there is one, so two nodes never both make it.
 */
import { readTextFile } from "../text-file.ts";
import { askStore, failed, type StoreAnswer, type StoreTls } from "./http-client.ts";
import type { Fields } from "./settings.ts";
import type { LeaderStore } from "./types.ts";

const ADDRESS = "127.0.0.1:8500";
const TIMEOUT_MS = 5000;
const STATUS_OK = 200;
const STATUS_NOT_FOUND = 404;

/** The store that the settings name. @throws `SERVER_CONFIG_INVALID` */
export function createConsulStore(prefix: string, settings: Fields): LeaderStore {
  return new ConsulStore(prefix, settings);
}

class ConsulStore implements LeaderStore {
  readonly #url: URL;
  readonly #headers: Record<string, string> = {};
  readonly #tls: StoreTls | undefined;

  constructor(prefix: string, settings: Fields) {
    const [first = "", rest] = settings.text("address", ADDRESS).split("://");
    const scheme = rest === undefined ? settings.text("scheme", "http") : first;
    const key = [...prefix.split("/"), "leader"].map(encodeURIComponent).join("/");
    this.#url = new URL(`${scheme}://${rest ?? first}/v1/kv/${key}`);
    for (const [field, parameter] of [
      ["datacenter", "dc"],
      ["namespace", "ns"],
      ["partition", "partition"],
    ] as const) {
      const value = settings.text(field);
      if (value !== "") this.#url.searchParams.set(parameter, value);
    }
    const file = settings.text("token_file");
    const token = file === "" ? settings.text("token") : readTextFile(file).trim();
    if (token !== "") this.#headers["x-consul-token"] = token;
    const login = settings.within("basic_auth");
    const name = login.text("username");
    if (name !== "") {
      const pair = Buffer.from(`${name}:${login.text("password")}`).toString("base64");
      this.#headers["authorization"] = `Basic ${pair}`;
    }
    this.#tls = scheme === "https" ? tlsOf(settings.within("tls_config")) : undefined;
  }

  async read(): Promise<string | undefined> {
    return (await this.#entry())?.value;
  }

  create(value: string): Promise<boolean> {
    return this.#compareAndSet(value, 0);
  }

  async write(value: string): Promise<void> {
    const url = new URL(this.#url);
    const answer = await this.#ask("PUT", url, value);
    this.#expect(answer, answer.text.trim() === "true");
  }

  async #compareAndSet(value: string, modifyIndex: number): Promise<boolean> {
    const url = new URL(this.#url);
    url.searchParams.set("cas", String(modifyIndex));
    const answer = await this.#ask("PUT", url, value);
    this.#expect(answer, /^(true|false)\s*$/.test(answer.text));
    return answer.text.trim() === "true";
  }

  async #entry(): Promise<{ readonly value: string } | undefined> {
    const answer = await this.#ask("GET", this.#url);
    if (answer.status === STATUS_NOT_FOUND) return undefined;
    this.#expect(answer, true);
    const value = valueIn(answer.text);
    if (value === undefined) throw failed(this.#url.host, "the answer is not Consul's");
    return { value };
  }

  #ask(method: "GET" | "PUT", url: URL, body?: string): Promise<StoreAnswer> {
    return askStore({
      method,
      url,
      headers: this.#headers,
      timeoutMs: TIMEOUT_MS,
      ...(body === undefined ? {} : { body }),
      ...(this.#tls === undefined ? {} : { tls: this.#tls }),
    });
  }

  /** @throws `SERVER_DISCOVERY_FAILED` with what Consul says about its refusal. */
  #expect({ status, text }: StoreAnswer, isSense: boolean): void {
    if (status === STATUS_OK && isSense) return;
    throw failed(this.#url.host, `status ${status}: ${text.trim().slice(0, 200)}`);
  }
}

function valueIn(text: string): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  const [entry] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (typeof entry !== "object" || entry === null || !("Value" in entry)) return undefined;
  // A key without a value has null.
  if (entry.Value === null) return "";
  return typeof entry.Value === "string"
    ? Buffer.from(entry.Value, "base64").toString("utf8")
    : undefined;
}

function tlsOf(settings: Fields): StoreTls {
  const pem = (name: string): string => {
    const path = settings.text(`${name}_file`);
    return path === "" ? settings.text(`${name}_pem`) : readTextFile(path);
  };
  const [ca, cert, key] = [pem("ca"), pem("cert"), pem("key")];
  const servername = settings.text("address");
  return {
    ...(ca === "" ? {} : { ca }),
    ...(cert === "" ? {} : { cert }),
    ...(key === "" ? {} : { key }),
    ...(servername === "" ? {} : { servername }),
    rejectUnauthorized: !settings.flag("insecure_skip_verify"),
  };
}
