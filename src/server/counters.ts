/**
 * Counters for `/debug/vars`: the 15 maps of the reference, each name declared once (compat
 * reference, 13.3).
 *
 * Names of parts that this program does not have stay at 0, because programs look for them.
 * Invariant: every name is there from the start, and none is made by counting.
 */

/** Names by map. What ends in `_ms`, `size` or `ratio` is the last value, all else only grows. */
const NAMES = {
  http: `leader_not_found ui executions execute_stmts_rx queued_executions queued_executions_ok
    queued_executions_num_stmts_rx queued_executions_num_stmts_tx queued_executions_no_leader
    queued_executions_not_leader queued_executions_leadership_lost
    queued_executions_unknown_error queued_executions_failed queued_executions_wait
    queued_executions_wait_timeout queries query_stmts_rx requests request_stmts_rx num_readyz
    num_status backups loads boot user_snapshots user_reaps sql_analyze auth_ok auth_fail
    tls_cert_fetched`,
  store: `num_snapshots num_snapshots_failed num_user_snapshots num_user_snapshots_failed
    num_wal_snapshots num_wal_snapshots_failed num_snapshots_full num_snapshots_incremental
    num_auto_vacuums num_auto_vacuums_failed auto_vacuum_duration num_auto_optimizes
    num_auto_optimizes_failed auto_optimize_duration num_boots num_backups num_loads num_restores
    num_restores_failed num_restores_start num_restores_start_skipped num_auto_restores
    num_auto_restores_skipped num_auto_restores_failed num_recoveries num_provider_checks
    num_provider_provides num_provider_provides_fail num_uncompressed_commands
    num_compressed_commands num_joins num_ignored_joins num_removed_before_joins
    num_db_stats_errors num_verify_leader num_verify_leader_failed verify_leader_duration
    fsm_apply_duration_us snapshot_create_duration snapshot_sync_duration num_snapshot_persists
    num_snapshot_persists_failed snapshot_persist_duration snapshot_crc32_create_duration
    leader_changes_observed leader_changes_dropped failed_heartbeat_observed nodes_reaped_ok
    nodes_reaped_failed`,
  db: `open_duration_ms checkpoints checkpoint_errors checkpointed_moves checkpoint_duration_ms
    create_compacted_wal_duration_ms precompact_wal_size compacted_wal_size checkpoint_total
    checkpoint_busy_errors checkpoint_invariant_errors checkpoint_partial checkpoint_wal_truncated
    executions execution_errors executions_force_queries queries query_errors requests
    execute_transactions query_transactions request_transactions backup_step_errors
    backup_step_dones backup_sleeps preupdates preupdates_errors preupdates_callback_errors
    update_hooks update_hooks_errors update_hooks_callback_errors commit_hooks
    dropped_cdc_events`,
  "db.wal": `compact_scan_duration_ms compact_write_duration_ms compact_frames_input
    compact_frames_output compact_scan_errors compact_frames_ratio`,
  cluster: `num_get_node_api_req num_get_node_api_resp num_execute_req num_query_req
    num_request_req num_backup_req num_load_req num_remove_node_req num_notify_req num_join_req
    num_stepdown_req num_broadcast_hwm_req num_hwm_update_dropped num_client_retries
    num_client_load_retries num_client_execute_retries num_client_query_retries
    num_client_request_retries num_get_node_api_req_retries num_client_read_timeouts
    num_client_write_timeouts num_client_force_new_conn num_get_node_api_req_local
    num_conn_rejected`,
  proxy: `remote_remove_node remote_backups remote_loads remote_stepdowns remote_executions
    remote_executions_failed remote_queries remote_queries_failed remote_requests
    remote_requests_failed`,
  queue: "objects_rx objects_tx num_timeout num_flush",
  proto: `num_requests num_compressed_requests num_uncompressed_requests num_compressed_bytes
    num_precompressed_bytes num_uncompressed_bytes num_compression_misses`,
  "sql.processor": "num_rewritten_stmts num_parser_panics",
  snapshot: `persist_size persist_duration_ms sink_full_total sink_incremental_total sink_errors
    sink_full_crc32_duration_ms auto_reap_duration_ms reap_execute_duration_ms reap_total
    reap_errors reap_snapshots reap_wals reap_plan_recovered read_timeout_total upgrade_ok
    upgrade_fail`,
  "snapshot.plan": "checkpoint_duration_ms calc_crc32_duration_ms",
  uploader: `num_uploads_ok num_uploads_fail num_uploads_skipped num_uploads_skipped_id
    num_sum_get_fail total_upload_bytes last_upload_bytes`,
  downloader: "num_downloads_ok num_downloads_fail download_bytes",
  mux: "num_connections_handled num_unregistered_handlers num_tls_cert_fetched",
  "cdc.service": `dropped_failed_to_send retries num_events_tx_ok num_events_tx_failed num_bytes_tx
    snapshot_sync batcher_writes batcher_events_write batcher_reads batcher_write_ignored
    fifo_enqueue_ignored hwm_ignored fifo_size`,
} as const;

/** Names of the maps. */
export type CounterMap = keyof typeof NAMES;

/** The counters of one node. */
export interface Counters {
  /** Adds to a counter. @throws RangeError for a name that is not in the table. */
  add(map: CounterMap, name: string, by?: number): void;
  /** Sets a value that is not a count. @throws RangeError for a name that is not in the table. */
  set(map: CounterMap, name: string, value: number): void;
  /** All of them, as plain values. */
  all(): Readonly<Record<string, Readonly<Record<string, number>>>>;
}

class NodeCounters implements Counters {
  readonly #maps = new Map<string, Map<string, number>>();

  constructor() {
    for (const [map, names] of Object.entries(NAMES)) {
      this.#maps.set(map, new Map(names.split(/\s+/).map((name) => [name, 0])));
    }
  }

  add(map: CounterMap, name: string, by = 1): void {
    this.set(map, name, (this.#maps.get(map)?.get(name) ?? 0) + by);
  }

  set(map: CounterMap, name: string, value: number): void {
    const values = this.#maps.get(map);
    if (!values?.has(name)) throw new RangeError(`server: no counter ${map}.${name}`);
    values.set(name, value);
  }

  all(): Record<string, Record<string, number>> {
    return Object.fromEntries(
      [...this.#maps].map(([map, values]) => [map, Object.fromEntries(values)]),
    );
  }
}

/** Makes the counters of one node, all at 0. */
export function createCounters(): Counters {
  return new NodeCounters();
}
