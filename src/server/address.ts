/**
 * Addresses as operators write them: `host:port` or `[v6]:port`.
 *
 * Unlike the platform's addresses these may lack a host or have a port that is none: whoever
 * configures a node must be told which half is wrong.
 */

/** Host and port of `host:port` or `[v6]:port`; undefined if it is neither. */
export function splitAddress(address: string): { host: string; port: string } | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(address);
  if (parts === null) return undefined;
  return { host: parts[1] ?? parts[2] ?? "", port: parts[3] ?? "" };
}

/** Whether a text is the number of a port; 0 asks for a free one. */
export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) < 2 ** 16;
}

/** `host:port` again; a host with colons gets brackets. */
export function joinAddress(host: string, port: number | string): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
