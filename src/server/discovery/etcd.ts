/**
 * etcd, over the JSON gateway of its version 3 API.
 *
 * Key `/<disco-key>/leader`. Invariant: the key is made in a transaction that asks whether it has
 * never been made, so two nodes never both make it.
 */
import { CairnError, type Ms } from "#base";
import { readTextFile } from "../text-file.ts";
import { askStore, failed, type StoreTls } from "./http-client.ts";
import type { Fields } from "./settings.ts";
import type { LeaderStore } from "./types.ts";

const ENDPOINT = "localhost:2379";
const TIMEOUT_MS: Ms = 5000;
const NANOSECONDS_PER_MS = 1e6;
const STATUS_OK = 200;
const STATUS_UNAUTHORIZED = 401;

/** The store that the settings name. @throws `SERVER_CONFIG_INVALID` */
export function createEtcdStore(prefix: string, settings: Fields): LeaderStore {
  return new EtcdStore(prefix, settings);
}

type Json = Readonly<Record<string, unknown>>;

class EtcdStore implements LeaderStore {
  readonly #endpoints: readonly URL[];
  readonly #key: string;
  readonly #login: { readonly name: string; readonly password: string } | undefined;
  readonly #timeoutMs: Ms;
  readonly #tls: StoreTls;
  #token: string | undefined;

  constructor(prefix: string, settings: Fields) {
    const endpoints = settings.texts("endpoints", [ENDPOINT]);
    this.#endpoints = (endpoints.length === 0 ? [ENDPOINT] : endpoints).map(urlOf);
    this.#key = base64(`/${prefix}/leader`);
    const name = settings.text("username");
    this.#login = name === "" ? undefined : { name, password: settings.text("password") };
    const nanoseconds = settings.number("dial-timeout", TIMEOUT_MS * NANOSECONDS_PER_MS);
    // 0 is "no limit" there; a store that never answers must not hold up a node for ever.
    this.#timeoutMs = nanoseconds > 0 ? Math.ceil(nanoseconds / NANOSECONDS_PER_MS) : TIMEOUT_MS;
    this.#tls = tlsOf(settings);
  }

  async read(): Promise<string | undefined> {
    const { kvs } = await this.#call("kv/range", { key: this.#key });
    const [entry] = Array.isArray(kvs) ? (kvs as unknown[]) : [];
    if (typeof entry !== "object" || entry === null) return undefined;
    const value = "value" in entry ? entry.value : "";
    return Buffer.from(String(value), "base64").toString("utf8");
  }

  async create(value: string): Promise<boolean> {
    const { succeeded } = await this.#call("kv/txn", {
      compare: [{ key: this.#key, target: "CREATE", result: "EQUAL", create_revision: "0" }],
      success: [{ request_put: { key: this.#key, value: base64(value) } }],
    });
    // The gateway leaves out what is false.
    return succeeded === true;
  }

  async write(value: string): Promise<void> {
    await this.#call("kv/put", { key: this.#key, value: base64(value) });
  }

  /** Asks one endpoint after the other until one answers. */
  async #call(method: string, body: Json): Promise<Json> {
    let last: unknown;
    for (const endpoint of this.#endpoints) {
      try {
        return await this.#callAt(endpoint, method, body);
      } catch (error) {
        if (!(error instanceof CairnError)) throw error;
        last = error;
      }
    }
    throw last;
  }

  async #callAt(endpoint: URL, method: string, body: Json): Promise<Json> {
    if (this.#login !== undefined && this.#token === undefined) {
      this.#token = await this.#logIn(endpoint, this.#login);
    }
    const answer = await this.#post(endpoint, method, body);
    if (answer.status === STATUS_OK) return jsonIn(endpoint, answer.text);
    // A token expires; the next try logs in again.
    if (answer.status === STATUS_UNAUTHORIZED) this.#token = undefined;
    throw failed(endpoint.host, `status ${answer.status}: ${answer.text.trim().slice(0, 200)}`);
  }

  async #logIn(endpoint: URL, login: Json): Promise<string> {
    const answer = await this.#post(endpoint, "auth/authenticate", login);
    const token = answer.status === STATUS_OK ? jsonIn(endpoint, answer.text)["token"] : undefined;
    if (typeof token === "string") return token;
    throw failed(endpoint.host, `login refused with status ${answer.status}`);
  }

  #post(endpoint: URL, method: string, body: Json): Promise<{ status: number; text: string }> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (this.#token !== undefined) headers["authorization"] = this.#token;
    return askStore({
      method: "POST",
      url: new URL(`/v3/${method}`, endpoint),
      headers,
      body: JSON.stringify(body),
      timeoutMs: this.#timeoutMs,
      ...(endpoint.protocol === "https:" ? { tls: this.#tls } : {}),
    });
  }
}

function urlOf(endpoint: string): URL {
  const text = endpoint.includes("://") ? endpoint : `http://${endpoint}`;
  if (URL.canParse(text)) return new URL(text);
  const problem = `-disco-config: ${JSON.stringify(endpoint)} is no endpoint of etcd`;
  throw new CairnError("SERVER_CONFIG_INVALID", problem);
}

function tlsOf(settings: Fields): StoreTls {
  const pem = (name: string): string => {
    const path = settings.text(name);
    return path === "" ? "" : readTextFile(path);
  };
  const [ca, cert, key] = [pem("cacert"), pem("cert"), pem("key")];
  return {
    ...(ca === "" ? {} : { ca }),
    ...(cert === "" ? {} : { cert }),
    ...(key === "" ? {} : { key }),
    rejectUnauthorized: !settings.flag("insecure-skip-tls-verify"),
  };
}

function jsonIn(endpoint: URL, text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw failed(endpoint.host, "the answer is not etcd's");
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
