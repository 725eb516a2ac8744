/**
 * Finds out which TCP ports of this machine are free, and picks others for those that are not.
 *
 * A port is tried by listening on it for a moment. Another process may take it right after; the
 * node then says so itself. Invariant: no port is given out twice by one `PortPlan`.
 */
import { createServer } from "node:http";
import type { Ms } from "#base";

/** Nodes of one cluster have ports in a row, so the next row begins this much higher. */
export const PORT_STEP = 10;

/** Rows to try: fewer than the distance between the HTTP ports and the Raft ports. */
const PORT_TRIES = 10;
const PORT_MAX = 65_535;
const RETRY_MS = 200;

/** Tells whether a process may listen on a port. */
export type PortTest = (port: number) => Promise<boolean>;

/** Tells whether this process could listen on `host:port` right now. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Waits until a port is free, for at most `ms`: a node of an earlier run may still be stopping.
 *
 * @returns false if it is still taken then.
 */
export async function waitForPort(isFree: PortTest, port: number, ms: Ms): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await isFree(port))) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return true;
}

/** Gives out ports. */
export interface PortPlan {
  /** Keeps a port from being given out. */
  reserve(port: number): void;
  /**
   * Picks `wanted`, or the first free one of `wanted` + 10, + 20 and so on.
   *
   * @returns undefined when none of ten is free.
   */
  pick(wanted: number): Promise<number | undefined>;
}

/**
 * Makes a plan that gives out each port once.
 *
 * @param isFree - asks the operating system.
 */
export function createPortPlan(isFree: PortTest): PortPlan {
  const given = new Set<number>();
  return {
    reserve: (port) => void given.add(port),
    async pick(wanted) {
      for (let attempt = 0; attempt < PORT_TRIES; attempt += 1) {
        const port = wanted + attempt * PORT_STEP;
        if (port > PORT_MAX) return undefined;
        if (given.has(port) || !(await isFree(port))) continue;
        given.add(port);
        return port;
      }
      return undefined;
    },
  };
}
