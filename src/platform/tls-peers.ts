/**
 * What a certificate must show before its owner is talked to, on either end of a connection.
 *
 * The rules are Go's, which the reference uses: a host is looked for among the alternative names of
 * the certificate and never in its common name; the common name is compared only where it was asked
 * for, and then exactly. Invariant: a check that was asked for and cannot be made has failed.
 */

import { isIP } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  type PeerCertificate,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import type { Ms } from "#base";
import type { Address } from "./address.ts";
import {
  contextOptions,
  openTlsFiles,
  type TlsFiles,
  type TlsFilesOptions,
  type TlsPaths,
} from "./tls-files.ts";

/** An accepted connection whose handshake is over. */
export type SecureSocket = TLSSocket;

/** Checks of whoever connects. */
export interface ClientChecks {
  /** Whoever connects must show a certificate that the authority has signed. */
  readonly verifyClient: boolean;
  /** Its common name, exactly; empty: any. */
  readonly verifyCommonName: string;
}

/** Checks on both ends of streams between nodes. */
export interface SocketChecks extends ClientChecks {
  /** Dialling accepts any certificate. */
  readonly trustsAnyServer: boolean;
  /** The name that a dialled node must show; empty: the host that was dialled. */
  readonly verifyServerName: string;
}

/** TLS of streams between nodes. */
export interface SocketTls extends SocketChecks {
  readonly files: TlsFiles;
}

/** The same as plain data, for a thread that opens its own files. */
export interface SocketTlsSettings extends SocketChecks, TlsPaths {}

/** Reads and watches the files. @throws `NET_TLS_INVALID` */
export function openSocketTls(settings: SocketTlsSettings, options: TlsFilesOptions): SocketTls {
  return { ...settings, files: openTlsFiles(settings, options) };
}

/** A handshake is two round trips; whoever needs longer holds a connection and nothing else. */
export const HANDSHAKE_MS_MAX: Ms = 10_000;

/** Options of a listening end. */
export function serverOptions(
  tls: ClientChecks & { readonly files: TlsFiles },
): TlsOptions & { readonly handshakeTimeout: Ms } {
  return {
    ...contextOptions(tls.files.current),
    requestCert: tls.verifyClient,
    rejectUnauthorized: tls.verifyClient,
    handshakeTimeout: HANDSHAKE_MS_MAX,
  };
}

/** Options for dialling. */
export function clientOptions(tls: SocketTls, { host, port }: Address): ConnectionOptions {
  const name = tls.verifyServerName === "" ? host : tls.verifyServerName;
  return {
    ...contextOptions(tls.files.current),
    host,
    port,
    // An address is not sent as a name; it is checked all the same.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    rejectUnauthorized: !tls.trustsAnyServer,
    checkServerIdentity: (_, certificate) => hostProblem(name, certificate),
  };
}

/** Why whoever connected is not let in; undefined if nothing speaks against it. */
export function peerProblem(tls: ClientChecks, socket: TLSSocket): string | undefined {
  if (!tls.verifyClient) return undefined;
  if (!socket.authorized) return `certificate refused: ${socket.authorizationError}`;
  if (tls.verifyCommonName === "") return undefined;
  const name = commonNameOf(socket.getPeerCertificate());
  if (name === tls.verifyCommonName) return undefined;
  return `certificate has the common name ${JSON.stringify(name)}`;
}

function hostProblem(name: string, certificate: PeerCertificate): Error | undefined {
  if (certificate.subjectaltname === undefined) {
    return new Error(`certificate for ${name} has no subject alternative names`);
  }
  return checkServerIdentity(name, certificate);
}

/** Of several common names the last counts, as in Go. */
function commonNameOf(certificate: PeerCertificate): string | undefined {
  const name: unknown = certificate.subject?.CN;
  if (Array.isArray(name)) return String(name.at(-1));
  return typeof name === "string" ? name : undefined;
}
