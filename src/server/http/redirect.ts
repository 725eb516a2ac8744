/**
 * `redirect`: send the caller to the leader instead of asking it for them (compat reference, 3.4).
 *
 * Invariant: the place is the leader's advertised HTTP address, with path and query as they came.
 */
import { type Answer, type Call, emptyAnswer, textError } from "./answer.ts";

/** The redirection, or undefined if the caller did not want one or this node is the leader. */
export async function redirection(call: Call): Promise<Answer | undefined> {
  const { service, parameters, target } = call;
  if (!parameters.has("redirect") || service.isLeader()) return undefined;
  const url = await service.leaderApiUrl(parameters.timeoutMs);
  if (url === undefined) return textError(500, "leader not found");
  return emptyAnswer(301, { location: url + target });
}
