/**
 * Writes that wait for their result, and the end of the node on which they wait. Method: the table
 * alone; what the replica would say is said by hand.
 */
import { expect, test } from "vitest";
import { createPendingProposals } from "#server";

const PATIENCE_MS = 60_000;
const RESULT = { result: new Uint8Array([1]), index: 7 };

test("a stopping node calls a waiting write unknown, and takes no other", async () => {
  const pending = createPendingProposals(() => 1);
  const waiting = pending.open(PATIENCE_MS).outcome;
  pending.close();
  await expect(waiting).rejects.toMatchObject({ code: "REPLICA_TIMEOUT" });
  expect(() => pending.open(PATIENCE_MS)).toThrow(
    expect.objectContaining({ code: "REPLICA_STOPPED" }),
  );
});

test("each write settles once: a later word changes nothing", async () => {
  const pending = createPendingProposals(() => 1);
  const first = pending.open(PATIENCE_MS);
  const second = pending.open(PATIENCE_MS);
  pending.succeed(first.id, RESULT);
  pending.fail(first.id, "leadership-lost");
  pending.fail(second.id, "not-leader");
  pending.succeed(second.id, RESULT);
  await expect(first.outcome).resolves.toEqual(RESULT);
  await expect(second.outcome).rejects.toMatchObject({ code: "REPLICA_NOT_LEADER" });
  pending.close();
});

test("a write of an earlier term ends as unknown, although the node leads again", async () => {
  let term = 3;
  const pending = createPendingProposals(() => term);
  const { outcome } = pending.open(0);
  term = 5;
  await expect(outcome).rejects.toMatchObject({ code: "REPLICA_TIMEOUT" });
  pending.close();
});

test("a write of a leader that leads on is waited for", async () => {
  let term = 0;
  const pending = createPendingProposals(() => term);
  term = 5;
  const own = pending.open(0);
  term = 0;
  const misplaced = pending.open(0).outcome;
  term = 5;
  // Whoever ends this one has looked at the other before.
  await expect(misplaced).rejects.toMatchObject({ code: "REPLICA_TIMEOUT" });
  pending.succeed(own.id, RESULT);
  await expect(own.outcome).resolves.toEqual(RESULT);
  pending.close();
});
