/**
 * Linearizable reads: waits until this node's database holds every write that was acknowledged
 * before now (compat reference, 3.1).
 *
 * A majority confirms who leads, the leader tells its commit index, and this node applies up to it;
 * the SQL stays where it is. Invariant: a confirmation that failed is asked for again, since it
 * changed nothing, until the time is over. Source: Ongaro (2014), section 6.4.
 */
import { CairnError, isCairnError, type Ms } from "#base";
import type { ConsensusThread } from "#replica";
import type { Leadership } from "./leadership.ts";
import { noLeader } from "./routing.ts";

/** Between two tries where nothing has changed. */
const RETRY_MS: Ms = 50;

/** What it takes. */
export interface ConfirmReadParts {
  readonly consensus: Pick<ConsensusThread, "read" | "status">;
  readonly leadership: Pick<Leadership, "leader" | "leaderlessMs" | "change">;
  readonly limitMs: Ms;
  /** Without a leader for so long, there is no hope for one. */
  readonly leaderlessMsMax: Ms;
}

/**
 * Resolves when a read on this node may run.
 *
 * @throws `SERVER_NO_LEADER`; `REPLICA_READ_FAILED` with the reference's text when the time is up.
 */
export async function confirmRead(parts: ConfirmReadParts): Promise<void> {
  const { consensus, leadership, limitMs, leaderlessMsMax } = parts;
  const deadline = performance.now() + limitMs;
  for (;;) {
    const outcome = await within(consensus.read("index"), deadline - performance.now());
    if (outcome === "confirmed") return;
    if (outcome !== "late") {
      const isHopeless = leadership.leaderlessMs() > leaderlessMsMax;
      if (outcome === "no-leader" && isHopeless) throw noLeader();
      await leadership.change(Math.min(RETRY_MS, Math.max(0, deadline - performance.now())));
      if (performance.now() < deadline) continue;
    }
    if (leadership.leader() === undefined) throw noLeader();
    const index = (await consensus.status())?.commitIndex ?? 0;
    throw new CairnError("REPLICA_READ_FAILED", `index ${index}: timeout waiting for fsm`);
  }
}

/** `late` when the time is over first: what comes afterwards is for nobody. */
async function within(read: Promise<unknown>, limitMs: Ms): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve("late"), Math.max(0, limitMs));
  });
  const asked = read.then(
    () => "confirmed",
    (error: unknown) => {
      if (!isCairnError(error, "REPLICA_READ_FAILED")) throw error;
      return String(error.details["reason"]);
    },
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
    asked.catch(() => undefined);
  }
}
