/**
 * `/snapshot`, `/reap`, `/compare` and `/remove`: what operators do to a node or a cluster (compat
 * reference, 1.10, 1.11).
 *
 * Invariant: a body that names no node removes none.
 */
import { type Answer, type Call, emptyAnswer, JSON_TYPE, jsonAnswer } from "./answer.ts";
import { forwardedFailure, plainFailure } from "./failure.ts";
import { callOptionsOf } from "./parameters.ts";
import { redirection } from "./redirect.ts";
import { textOf } from "./statements.ts";

/** 200, or 204 if nothing was new. */
export async function handleSnapshot({ service, parameters }: Call): Promise<Answer> {
  service.counters.add("http", "user_snapshots");
  try {
    const trailingLogs = Math.max(0, parameters.integer("trailing_logs"));
    const isNew = await service.snapshot({ trailingLogs });
    return emptyAnswer(isNew ? 200 : 204);
  } catch (error) {
    return plainFailure(error);
  }
}

/** How much there was to remove. */
export async function handleReap({ service }: Call): Promise<Answer> {
  service.counters.add("http", "user_reaps");
  try {
    const { snapshots, wals } = await service.reap();
    const json = `{"snapshots_reaped":${snapshots},"wals_checkpointed":${wals}}\n`;
    return { status: 200, headers: { "content-type": JSON_TYPE }, body: json };
  } catch (error) {
    return plainFailure(error);
  }
}

/**
 * Has the states of all nodes compared: what they were found to be, by node. Not in the reference.
 */
export async function handleCompare(call: Call): Promise<Answer> {
  try {
    const comparison = await call.service.compareStates(callOptionsOf(call));
    return jsonAnswer(call, Buffer.from(JSON.stringify(comparison)));
  } catch (error) {
    return forwardedFailure(error, "comparison");
  }
}

/** Removes the node that the body names: `{"id":"…"}` and nothing else. */
export async function handleRemove(call: Call): Promise<Answer> {
  const { service } = call;
  const id = onlyId(textOf(call));
  if (id === undefined) return emptyAnswer(400);
  try {
    const redirect = await redirection(call);
    if (redirect !== undefined) return redirect;
    const { servedBy } = await service.removeNode(id, callOptionsOf(call));
    return emptyAnswer(200, { "x-rqlite-served-by": servedBy });
  } catch (error) {
    return forwardedFailure(error, "remove node");
  }
}

function onlyId(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 1) {
    return undefined;
  }
  const id: unknown = Reflect.get(value, "id");
  return typeof id === "string" ? id : undefined;
}
