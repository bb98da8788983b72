import { invariant } from "./invariant.js";
import { NONE } from "./message.js";
import type { Raft } from "./raft.js";
import { appendEntries } from "./replication.js";

/*
 * The four roles (Raft Figure 4, with thesis §9.6's pre-candidate):
 *
 *              timeout                 quorum of pre-votes           quorum of votes
 *   follower ───────────► pre-candidate ───────────────► candidate ───────────────► leader
 *      ▲                        │                            │                        │
 *      └────────────────────────┴── lost, or a leader found ─┴── higher term seen ────┘
 *
 * Without pre-vote the second stage is left out.
 */

export function becomeFollower(raft: Raft, term: number, lead: number): void {
  reset(raft, term);
  raft.lead = lead;
  raft.role = "follower";
}

/** Asks whether an election could be won. Neither the term nor the vote changes, nor does the election timer. */
export function becomePreCandidate(raft: Raft): void {
  invariant(raft.role !== "leader", "a leader does not campaign");
  raft.tracker.resetVotes();
  raft.lead = NONE;
  raft.role = "pre-candidate";
}

/** Raft §5.2: increments its term and votes for itself. */
export function becomeCandidate(raft: Raft): void {
  invariant(raft.role !== "leader", "a leader does not campaign");
  reset(raft, raft.term + 1);
  raft.vote = raft.id;
  raft.role = "candidate";
}

export function becomeLeader(raft: Raft): void {
  invariant(raft.role !== "follower", "only a candidate becomes leader");
  reset(raft, raft.term);
  raft.lead = raft.id;
  raft.role = "leader";

  const self = raft.tracker.get(raft.id);
  if (self !== undefined) {
    self.becomeReplicate();
    self.recentlyActive = true;
  }
  // There may be a membership change among the entries of earlier terms. Rather than look for it, wait for all of them.
  raft.pendingConfIndex = raft.log.lastIndex();

  // Raft §8: an empty entry of the new term. Once it is committed, so is all before it (§5.4.2).
  const index = appendEntries(raft, [{ type: "normal", data: new Uint8Array(0) }]);
  invariant(index !== undefined, "an empty entry is never over the quota");
}

/** The state that no role takes over from the one before. */
function reset(raft: Raft, term: number): void {
  if (raft.term !== term) {
    raft.term = term;
    raft.vote = NONE;
  }
  raft.lead = NONE;
  raft.electionElapsedTicks = 0;
  raft.heartbeatElapsedTicks = 0;
  raft.pendingCampaign = undefined;
  raft.randomizedElectionTicks = raft.settings.electionTicks + raft.settings.random(raft.settings.electionTicks);
  raft.leadTransferee = NONE;
  raft.leaseSurrendered = false;
  raft.pendingConfIndex = 0;
  raft.uncommittedBytes = 0;
  // Differs from etcd: reads that wait are dropped with the leadership, those held back included; who asked asks again.
  raft.reads.reset();
  raft.lease.reset();
  raft.tracker.resetVotes();
  const lastIndex = raft.log.lastIndex();
  for (const progress of raft.tracker.peers) progress.restart(lastIndex + 1, progress.id === raft.id ? lastIndex : 0);
}
