/** Whether a vote can still go either way. */
export type VoteResult = "won" | "lost" | "pending";

/** What is known of the voters' positions: 0 for one that was never heard of. */
export interface AcknowledgedIndexes {
  acknowledgedIndex(id: number): number;
}

function majoritySize(voters: readonly number[]): number {
  return Math.floor(voters.length / 2) + 1;
}

/** Reused by every call, so that counting acknowledgements, which the leader does for each of them, allocates nothing. */
const ascending: number[] = [];

/**
 * The largest index that a majority has acknowledged (Raft §5.3, "a majority of matchIndex[i] ≥ N").
 *
 * An empty majority acknowledges everything: `Infinity`. That makes it the neutral half of a joint configuration.
 */
export function majorityCommittedIndex(voters: readonly number[], indexes: AcknowledgedIndexes): number {
  const count = voters.length;
  if (count === 0) return Number.POSITIVE_INFINITY;

  // Insertion sort: voters are few, and mostly in order already.
  for (let filled = 0; filled < count; filled++) {
    const index = indexes.acknowledgedIndex(voters[filled] as number);
    let place = filled;
    while (place > 0 && (ascending[place - 1] as number) > index) {
      ascending[place] = ascending[place - 1] as number;
      place--;
    }
    ascending[place] = index;
  }
  // A majority lies at or above this place.
  return ascending[count - majoritySize(voters)] as number;
}

/** Raft §5.2: won with the votes of a majority; lost when even all outstanding votes would not make one. */
export function majorityVoteResult(
  voters: readonly number[],
  granted: readonly number[],
  rejected: readonly number[],
): VoteResult {
  if (voters.length === 0) return "won";
  let yes = 0;
  let outstanding = 0;
  for (const id of voters) {
    if (granted.includes(id)) yes++;
    else if (!rejected.includes(id)) outstanding++;
  }
  const needed = majoritySize(voters);
  if (yes >= needed) return "won";
  return yes + outstanding >= needed ? "pending" : "lost";
}
