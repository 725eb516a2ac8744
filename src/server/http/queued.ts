/**
 * `/db/execute?queue`: answered at once, written later (compat reference, section 5).
 *
 * Differs from the reference in one thing: a body that cannot be read is refused, where the
 * reference takes it and forgets it. Invariant: who gets a sequence number has a write in the
 * queue, or has waited for those before it.
 */
import type { Ms } from "#base";
import { type Answer, type Call, textError } from "./answer.ts";
import { queuedEnvelope } from "./envelope.ts";
import { sqlFailure } from "./failure.ts";
import { statementsOfBody } from "./statements.ts";

/** Puts the statements into the queue; with `wait`, until they are written. */
export async function handleQueued(call: Call): Promise<Answer> {
  const { service, parameters, credentials } = call;
  const { counters, queue } = service;
  counters.add("http", "queued_executions");
  try {
    if (!parameters.has("noleader") && !service.hasLeader()) {
      counters.add("http", "leader_not_found");
      return textError(503, "leader not found");
    }
    const isWaiting = parameters.has("wait");
    // No statements at all are a barrier for who waits, and nonsense for who does not.
    const statements = statementsOfBody(call, { mayBeEmpty: isWaiting });
    if (isWaiting) counters.add("http", "queued_executions_wait");
    const { sequenceNumber, written } = await queue.put(statements, credentials);
    if (isWaiting && !(await within(written, parameters.timeoutMs))) {
      counters.add("http", "queued_executions_wait_timeout");
      return textError(408, "queue wait timeout");
    }
    return queuedEnvelope(call, sequenceNumber);
  } catch (error) {
    return sqlFailure(call, error, "Execute");
  }
}

/** @returns false when the time is over first. */
function within(written: Promise<void>, ms: Ms): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), ms);
    written.then(() => resolve(true), reject).finally(() => clearTimeout(timer));
  });
}
