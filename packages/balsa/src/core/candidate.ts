import { handleVoteResponse } from "./election.js";
import { stepFollower } from "./follower.js";
import type { PeerMessage } from "./message.js";
import type { Raft } from "./raft.js";
import { becomeFollower } from "./roles.js";

/** A message of our own term, or one without a term, at a candidate or pre-candidate. */
export function stepCandidate(raft: Raft, message: PeerMessage): void {
  switch (message.type) {
    case "append":
    case "heartbeat":
    case "snapshot":
      // Raft §5.2: another has won this term's election.
      becomeFollower(raft, raft.term, message.from);
      stepFollower(raft, message);
      return;
    case "pre-vote-response":
      if (raft.role === "pre-candidate") handleVoteResponse(raft, message);
      return;
    case "vote-response":
      if (raft.role === "candidate") handleVoteResponse(raft, message);
      return;
    default:
      // There is no leader that could be asked for anything.
      return;
  }
}
