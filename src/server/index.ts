/**
 * server: one node of the replicated database, built from a configuration, and its HTTP API.
 *
 * Reading order: types.ts, node-config.ts, version.ts, duration.ts, address.ts,
 * nearest-name.ts, flags.ts, flag-table.ts, text-file.ts, settings.ts, config.ts, config-checks.ts,
 * configuration-page.ts,
 * auth/ (password.ts, users.ts, authorizer.ts, basic.ts, http.ts, peer.ts), access.ts; limits.ts,
 * http-listener.ts, discovery/ (types.ts, settings.ts, http-client.ts, consul.ts,
 * etcd.ts, leader-key.ts, names.ts, create.ts, reporter.ts), node-access.ts, auto-vacuum.ts; http/
 * (answer.ts, query-string.ts, parameter-table.ts, parameters.ts, json-scanner.ts, json-body.ts,
 * statements.ts, json-text.ts, failure.ts, sql.ts, queued.ts, load.ts, backup.ts, state.ts,
 * leader.ts, administration.ts, debug.ts, profiles.ts, sql-analysis.ts, console.ts, kv-json.ts,
 * kv.ts, kv-route.ts, openapi.ts,
 * routes.ts, body.ts, server.ts); then the node behind it: node.ts (assembly), counters.ts,
 * leadership.ts, pending.ts, forward.ts, routing.ts, confirm-read.ts, service.ts, queue.ts,
 * file-load.ts, membership.ts, node-operations.ts, kv-calls.ts, join-probe.ts, cluster.ts,
 * removal.ts, readiness.ts, incoming-calls.ts, peers.ts, backups.ts, parts.ts, extensions.ts,
 * process-status.ts, node-status.ts.
 */
export { splitAddress } from "./address.ts";
export { type Authorizer, createAuthorizer, openAuthorizer } from "./auth/authorizer.ts";
export { basicCredentials, basicHeader } from "./auth/basic.ts";
export { type Admission, authorize, challengeHeaders } from "./auth/http.ts";
export { hashPassword, isHashed } from "./auth/password.ts";
export { authorizeCall } from "./auth/peer.ts";
export { PERMISSIONS, readUsers, type UserFile } from "./auth/users.ts";
export { startAutoVacuum } from "./auto-vacuum.ts";
export { type Invocation, readInvocation, usageText } from "./config.ts";
export { configurationPage } from "./configuration-page.ts";
export { type ConfirmReadParts, confirmRead } from "./confirm-read.ts";
export { type CounterMap, type Counters, createCounters } from "./counters.ts";
export { createDiscovery } from "./discovery/create.ts";
export type { Discovery } from "./discovery/types.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { type Extensions, gatherExtensions } from "./extensions.ts";
export { sendFile } from "./file-load.ts";
export { FLAGS, REFERENCE_FLAGS } from "./flag-table.ts";
export { parseStatements } from "./http/json-body.ts";
export { indentJson, sortedJson } from "./http/json-text.ts";
export { type HttpServer, type HttpServerOptions, openHttpServer } from "./http/server.ts";
export { type Leadership, type LeadershipSource, watchLeadership } from "./leadership.ts";
export { type NodeLog, openNode } from "./node.ts";
export { type PartOwner, partsLine, partsOfService, SERVICE_PARTS } from "./parts.ts";
export { createPendingProposals, type PendingProposals } from "./pending.ts";
export { createWriteQueue, type WriteQueue } from "./queue.ts";
export { createRouting, type Routing } from "./routing.ts";
export { API_VERSION, CAIRN_VERSION } from "./version.ts";
