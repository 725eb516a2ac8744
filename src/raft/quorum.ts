/**
 * What a majority is, of votes and of matching logs.
 *
 * Invariant: any two quorums of one voter set share a voter. Chapter: 07-raft.
 */

/** Voters that make a majority: more than half of them. */
export function quorumSize(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/**
 * The largest value that at least a quorum has reached.
 *
 * @param values - one for each voter; reordered by the call.
 */
export function quorumValue(values: number[]): number {
  values.sort((a, b) => b - a);
  return values[quorumSize(values.length) - 1]!;
}
