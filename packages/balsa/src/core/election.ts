import type { CampaignKind } from "./campaign.js";
import { scanForConfChange } from "./campaign.js";
import { sendCommitHint } from "./commit-hint.js";
import { allVoters } from "./conf-state.js";
import { unreachable } from "./invariant.js";
import type { VoteMessage, VoteResponse } from "./message.js";
import { NONE } from "./message.js";
import type { Raft } from "./raft.js";
import { broadcastAppend } from "./replication.js";
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from "./roles.js";

/** The election timer fired, or the caller says so. */
export function startElection(raft: Raft): void {
  maybeCampaign(raft, raft.settings.preVote ? "pre-election" : "election");
}

/** The leader says so. Nobody has to be asked first: this node was reached, so it is not one that returns. */
export function startTransferElection(raft: Raft): void {
  maybeCampaign(raft, "transfer");
}

/** Whether this node may lead: a voter, by a configuration it has on disk. */
export function isPromotable(raft: Raft): boolean {
  const self = raft.tracker.get(raft.id);
  return self !== undefined && !self.isLearner && raft.log.unstable.snapshot === undefined;
}

/** Entries that a campaign waits for may be in memory now. */
export function resumeCampaign(raft: Raft): void {
  if (raft.pendingCampaign !== undefined) maybeCampaign(raft, raft.pendingCampaign.kind);
}

function maybeCampaign(raft: Raft, kind: CampaignKind): void {
  const { log, pendingCampaign } = raft;
  raft.pendingCampaign = undefined;
  if (raft.role === "leader" || !isPromotable(raft)) return;
  // A configuration that is out of date could elect a leader that the current one does not know of.
  const scan = scanForConfChange(log, pendingCampaign?.scannedTo ?? log.applied);
  if (scan.outcome === "none") campaign(raft, kind);
  else if (scan.outcome === "awaits") raft.pendingCampaign = { kind, scannedTo: scan.scannedTo };
}

function campaign(raft: Raft, kind: CampaignKind): void {
  const pre = kind === "pre-election";
  if (pre) becomePreCandidate(raft);
  else becomeCandidate(raft);

  // A pre-vote asks about the term that a candidacy would have.
  const term = pre ? raft.term + 1 : raft.term;
  const lastIndex = raft.log.lastIndex();
  const lastTerm = raft.log.lastTerm();
  for (const to of allVoters(raft.tracker.conf)) {
    if (to === raft.id) {
      // Its own vote counts once it is durable, as any other: then this answer comes back.
      const type = pre ? "pre-vote-response" : "vote-response";
      raft.send({ type, from: raft.id, to, term, rejected: false });
    } else {
      const type = pre ? "pre-vote" : "vote";
      raft.send({ type, from: raft.id, to, term, lastIndex, lastTerm, transfer: kind === "transfer" });
    }
  }
}

/**
 * Whether a request of a higher term is to be passed over, as the leader's lease runs (thesis §4.2.3): a node that was
 * removed, or cut off, could otherwise depose a leader that all others hear of.
 */
export function heedsLease(raft: Raft, request: VoteMessage): boolean {
  if (request.transfer) return false;
  return raft.settings.checkQuorum && raft.lead !== NONE && raft.electionElapsedTicks < raft.settings.electionTicks;
}

/** RequestVote, at the receiver (Raft Figure 2), whatever its role. Its term is not below ours. */
export function handleVoteRequest(raft: Raft, request: VoteMessage): void {
  const pre = request.type === "pre-vote";
  const canVote =
    // It has this vote already: the answer was lost.
    raft.vote === request.from ||
    // Nobody has it, and no leader of this term is known.
    (raft.vote === NONE && raft.lead === NONE) ||
    // A pre-vote takes nothing away from this term's vote.
    (pre && request.term > raft.term);
  // A learner votes too: it may have become a voter and not know it yet, and without its vote there may be no leader
  // to tell it.
  const granted = canVote && raft.log.isUpToDate(request.lastIndex, request.lastTerm);
  if (granted && !pre) {
    raft.vote = request.from;
    raft.electionElapsedTicks = 0;
    raft.pendingCampaign = undefined;
  }
  raft.send({
    type: pre ? "pre-vote-response" : "vote-response",
    from: raft.id,
    to: request.from,
    // A pre-vote is granted for the term that was asked about, which this node does not take on. A rejection bears our
    // own term, so that whoever is behind learns of it.
    term: granted ? request.term : raft.term,
    rejected: !granted,
  });
  if (!granted && !raft.log.isUpToDate(request.lastIndex, request.lastTerm)) sendCommitHint(raft, request.from);
}

/** A vote of our own (pre-)election came in. */
export function handleVoteResponse(raft: Raft, response: VoteResponse): void {
  raft.tracker.recordVote(response.from, !response.rejected);
  const result = raft.tracker.voteResult();
  switch (result) {
    case "pending":
      return;
    case "lost":
      becomeFollower(raft, raft.term, NONE);
      return;
    case "won":
      if (raft.role === "pre-candidate") {
        campaign(raft, "election");
      } else if (raft.tracker.granted.includes(raft.id)) {
        // Differs from etcd: no quorum of others is enough while the own vote is not durable. A node that led without it
        // could crash, have forgotten its term, and be elected in it a second time by those same votes, with other
        // entries under the same indexes and term: then logs match no more.
        becomeLeader(raft);
        broadcastAppend(raft);
      }
      return;
    default:
      throw unreachable(result satisfies never);
  }
}
