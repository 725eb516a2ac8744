/** What the tests use of rqlite-js, which has no types of its own. */
declare module "rqlite-js" {
  export interface DataResult {
    get(name: string): unknown;
    toObject(): Record<string, unknown>;
    getLastInsertId(): number;
    getRowsAffected(): number;
  }
  export interface DataResults {
    hasError(): boolean;
    getFirstError(): Error | undefined;
    get(index: number): DataResult;
    toArray(): Record<string, unknown>[];
  }
  export interface QueryOptions {
    readonly level?: "none" | "weak" | "linearizable" | "strong";
    readonly transaction?: boolean;
    readonly atomic?: boolean;
    readonly timings?: boolean;
    readonly retries?: number;
  }
  type Sql = string | readonly (string | readonly unknown[])[];
  export class DataApiClient {
    constructor(hosts: string | readonly string[], options?: object);
    query(sql: Sql, options?: QueryOptions): Promise<DataResults>;
    execute(sql: Sql, options?: QueryOptions): Promise<DataResults>;
  }
  export class BackupApiClient {
    constructor(hosts: string | readonly string[], options?: object);
    backup(format?: string): Promise<AsyncIterable<Uint8Array>>;
    load(data: string | Uint8Array, format?: string): Promise<AsyncIterable<Uint8Array>>;
  }
  export class StatusApiClient {
    constructor(hosts: string | readonly string[], options?: object);
    statusAllHosts(): Promise<{ readonly body: { readonly build: object } }[]>;
  }
}
