/**
 * The server that HTTP listens with: plain or TLS, with its limits (compat reference, 10.2).
 *
 * Certificates are read again when their files change. Invariant: with `-http-verify-client` no
 * request reaches a handler before the client's certificate has passed every check.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import {
  contextOptions,
  openTlsFiles,
  peerProblem,
  type SecureSocket,
  serverOptions,
} from "#platform";
import { limitBodies, limitOptions } from "./limits.ts";
import type { NodeConfig, TlsConfig } from "./node-config.ts";

/** What a listener is made of. */
export interface HttpListenerOptions {
  readonly config: Pick<NodeConfig, "httpTls" | "limits">;
  readonly handler: RequestListener;
  /** Told of replaced certificates, and of clients that were turned away. */
  readonly onNotice?: (text: string) => void;
}

/**
 * Makes the server; it does not listen yet.
 *
 * @throws `NET_TLS_INVALID`
 */
export function createHttpListener(options: HttpListenerOptions): Server {
  const { config, handler } = options;
  const server =
    config.httpTls === undefined
      ? createServer(limitOptions(config.limits), handler)
      : secureServer(config.httpTls, options);
  limitBodies(server, config.limits);
  return server;
}

function secureServer(
  tls: TlsConfig,
  { config, handler, onNotice = () => undefined }: HttpListenerOptions,
): Server {
  const files = openTlsFiles(tls, { onNotice });
  const checks = { ...tls, files };
  const server = createSecureServer(
    {
      ...limitOptions(config.limits),
      ...serverOptions(checks),
      // Node would close without a reason; the check below gives one, and comes before any request.
      rejectUnauthorized: false,
    },
    handler,
  );
  files.onChange((material) => server.setSecureContext(contextOptions(material)));
  server.on("close", () => files.close());
  // Before Node's own listener, which starts to read requests.
  server.prependListener("secureConnection", (socket: SecureSocket) => {
    const problem = peerProblem(tls, socket);
    if (problem === undefined) return;
    onNotice(`http: connection from ${socket.remoteAddress ?? "unknown"} refused: ${problem}`);
    socket.destroy();
  });
  return server;
}
