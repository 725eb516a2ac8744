/**
 * `/leader`: who it is, and how to have it hand over (compat reference, 1.14).
 *
 * Invariant: a target is read only from a body that says that it is JSON, as the reference does.
 */
import { CairnError, errorText, isCairnError } from "#base";
import { type Answer, type Call, emptyAnswer, jsonAnswer, textError } from "./answer.ts";
import { forwardedFailure, NOT_OPEN_TEXT, plainFailure } from "./failure.ts";
import { callOptionsOf } from "./parameters.ts";
import { redirection } from "./redirect.ts";
import { nodeJson } from "./state.ts";
import { textOf } from "./statements.ts";

/** The leader, as one of `/nodes`. */
export async function handleLeader(call: Call): Promise<Answer> {
  const { service } = call;
  try {
    const nodes = await service.nodes({ ...callOptionsOf(call), nonVoters: true });
    const leader = nodes.find((node) => node.leader);
    if (leader === undefined) return textError(503, "leader not found");
    return jsonAnswer(call, Buffer.from(nodeJson(leader)));
  } catch (error) {
    if (isCairnError(error, "REPLICA_STOPPED")) return textError(503, "leader not found");
    return plainFailure(error);
  }
}

/** Has the leader hand over, to the node that the body names if it names one. */
export async function handleStepDown(call: Call): Promise<Answer> {
  const { service, parameters } = call;
  try {
    const target = targetOf(call);
    const redirect = await redirection(call);
    if (redirect !== undefined) return redirect;
    const request = { target, wait: parameters.has("wait") };
    const { servedBy } = await service.stepDown(request, callOptionsOf(call));
    return emptyAnswer(200, { "x-rqlite-served-by": servedBy });
  } catch (error) {
    if (isCairnError(error, "REPLICA_STOPPED")) {
      return textError(503, `stepdown: ${NOT_OPEN_TEXT}`);
    }
    if (isCairnError(error, "SERVER_MEMBERSHIP_REFUSED")) {
      return textError(500, `stepdown: ${error.message}`);
    }
    return forwardedFailure(error, "stepdown");
  }
}

/** @throws `SERVER_REQUEST_INVALID` */
function targetOf(call: Call): string | undefined {
  if (call.contentType !== "application/json" || call.body.length === 0) return undefined;
  const refuse = (problem: string): never => {
    throw new CairnError("SERVER_REQUEST_INVALID", `invalid JSON: ${problem}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(textOf(call));
  } catch (error) {
    return refuse(errorText(error));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("an object is wanted");
  }
  const id: unknown = Reflect.get(value, "id");
  if (id !== undefined && id !== null && typeof id !== "string") return refuse("id is no string");
  return typeof id === "string" && id !== "" ? id : undefined;
}
