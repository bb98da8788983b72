import type { AcknowledgedIndexes, VoteResult } from "./majority-quorum.js";
import { majorityCommittedIndex, majorityVoteResult } from "./majority-quorum.js";

/**
 * Joint consensus (thesis §4.3): agreement needs a majority of the incoming and a majority of the outgoing voters.
 * Outside a joint configuration the outgoing half is empty, and an empty majority agrees with everything.
 */
export interface VoterHalves {
  readonly voters: readonly number[];
  readonly votersOutgoing: readonly number[];
}

export function jointCommittedIndex(halves: VoterHalves, indexes: AcknowledgedIndexes): number {
  const incoming = majorityCommittedIndex(halves.voters, indexes);
  if (halves.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityCommittedIndex(halves.votersOutgoing, indexes));
}

export function jointVoteResult(
  halves: VoterHalves,
  granted: readonly number[],
  rejected: readonly number[],
): VoteResult {
  const incoming = majorityVoteResult(halves.voters, granted, rejected);
  const outgoing = majorityVoteResult(halves.votersOutgoing, granted, rejected);
  if (incoming === outgoing) return incoming;
  return incoming === "lost" || outgoing === "lost" ? "lost" : "pending";
}
