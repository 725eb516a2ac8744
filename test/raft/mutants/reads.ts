/**
 * Mistakes in reads without an entry: rounds, requests, leases.
 *
 * Chapter: 11-simulation.
 */
import type { Mutant } from "./types.ts";

export const READS: readonly Mutant[] = [
  {
    number: 12,
    name: "a leader answers reads before it has committed in its term",
    patches: [
      {
        file: "reads.ts",
        from: "Math.max(state.commitIndex, state.ownFirstIndex)",
        to: "state.commitIndex",
      },
    ],
    expected: ["G11"],
    search: { tier: "standard", seeds: 50 },
    directed: ["D02"],
  },
  {
    number: 13,
    name: "a read is confirmed by an answer to what was sent before it",
    patches: [
      {
        file: "reads.ts",
        from: "if (confirmed <= round || commitIndex < index) break;",
        to: "if (commitIndex < index) break;",
      },
    ],
    expected: ["G11"],
    search: { tier: "standard", seeds: 300 },
    directed: ["D03"],
  },
  {
    number: 14,
    name: "requests for reads have one number, and a replayed answer confirms the next",
    patches: [{ file: "reads.ts", from: "  state.lastRequest += 1;\n", to: "" }],
    expected: ["G11"],
    search: { tier: "standard", seeds: 200 },
    directed: ["D04"],
  },
  {
    number: 15,
    name: "a lease is measured from the commit, not from the append",
    patches: [
      {
        file: "lease.ts",
        from: "state.leaseSince = leaseMarks.shift()!.at;",
        to: "leaseMarks.shift(); state.leaseSince = state.now;",
      },
    ],
    expected: ["G12", "G11"],
    search: { tier: "standard", seeds: 50 },
    directed: ["D10"],
  },
  {
    number: 16,
    name: "a lease is good while leadership is handed over, and after it failed",
    patches: [
      {
        file: "transfer.ts",
        from: "  revokeLease(state);\n  state.transfer",
        to: "  state.transfer",
      },
      {
        file: "lease.ts",
        from: "state.transfer !== undefined || now >= leaseUntil",
        to: "now >= leaseUntil",
      },
    ],
    expected: [],
    directed: ["T08"],
  },
  {
    number: 103,
    name: "a new leader does not wait for the lease of the old one",
    patches: [
      {
        file: "commit.ts",
        from: "if (onQuorum <= state.commitIndex || state.now < state.commitGateAt) return;",
        to: "if (onQuorum <= state.commitIndex) return;",
      },
    ],
    expected: ["G12", "G11"],
    search: { tier: "standard", seeds: 400 },
    directed: ["D10"],
  },
  {
    number: 123,
    name: "any answer of the leader answers a follower's read",
    patches: [{ file: "reads.ts", from: " || message.request !== asked.request", to: "" }],
    expected: ["G11"],
    search: { tier: "standard", seeds: 200 },
    directed: ["D04"],
  },
];
