/**
 * Looks whether an address that should be a node's Raft port speaks HTTP instead: the usual mistake
 * in a `-join` list (compat reference, 6.2).
 *
 * Asked only when a join got no proper answer, so that nodes that are well configured are not
 * troubled. Invariant: no answer within two seconds counts as "no HTTP".
 */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";

const TIMEOUT_MS = 2000;

/** Resolves with true if HTTP or HTTPS is served at `address`, `host:port`. */
export async function servesHttp(address: string): Promise<boolean> {
  const [plain, secure] = await Promise.all([answers(address, "http"), answers(address, "https")]);
  return plain || secure;
}

function answers(address: string, scheme: "http" | "https"): Promise<boolean> {
  return new Promise((resolve) => {
    let url: URL;
    try {
      url = new URL(`${scheme}://${address}/status`);
    } catch {
      // What is no URL is nobody's HTTP; the address is complained about where it is dialled.
      return resolve(false);
    }
    // Whether its certificate is to be trusted is not the question.
    const options = { timeout: TIMEOUT_MS, agent: false, rejectUnauthorized: false } as const;
    const get = scheme === "http" ? httpGet : httpsGet;
    const request = get(url, options, (response) => {
      response.resume();
      resolve((response.statusCode ?? 0) === 200);
      request.destroy();
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
    request.on("close", () => resolve(false));
  });
}
