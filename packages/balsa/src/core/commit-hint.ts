import { scanForConfChange } from "./campaign.js";
import type { AppendResponse, Message } from "./message.js";
import { NONE } from "./message.js";
import type { Raft } from "./raft.js";
import { UNKNOWN_TERM } from "./raft-log.js";
import { becomeFollower } from "./roles.js";

/*
 * Elections over a membership change that not all know to be committed.
 *
 * A change takes effect where it is applied, not, as in the thesis, where it is appended. So members with the same log may
 * go by different configurations, the later of them those that have heard that the change is committed; and a leader may
 * crash and forget that it had. Then nobody may be electable, with everybody up:
 *
 *  - A voter is demoted, and hears so. It has entries behind the change that are in no other log, and does not campaign. The
 *    others, back in the old configuration, need its vote, which it must not give to a shorter log (Raft §5.4.1): what only
 *    it has beside the old leader may be committed. With two voters it takes one crash of the leader, which had sent it an
 *    entry and not written it itself; with joint configurations as few.
 *  - A learner is made a voter, and has not heard so. It has entries behind the change that are in no other log, and does
 *    not campaign. The others need its vote.
 *
 * In both, whoever refuses its vote has the change in its log, and so has whoever was refused, if its log is the longest of
 * those that may campaign; one of the two knows that it is committed. So they tell each other. That an entry of this index
 * and this term is committed is true for ever, whoever says it and in whatever term: whose log has that entry may commit up
 * to it. It applies the change, and goes by the same configuration as the other: those of its voters who have the longest
 * log campaign, and none of them refuses.
 *
 * A voter that does not campaign could be let campaign instead: the thesis does so (§4.2.2), since there what decides is the
 * log. Here a member would lead that, by all that it has applied, is none of those that may.
 *
 * A hint travels as an append's answer that accepts nothing and names a position. Members that know nothing of hints pass
 * over it, so that it takes no new version of the protocol.
 */

/** An answer that accepts nothing, and says what is committed. */
type CommitHint = AppendResponse & { readonly rejected: false };

export function isCommitHint(message: Message): message is CommitHint {
  return message.type === "append-response" && !message.rejected && message.hintTerm > 0;
}

/**
 * To one whose vote request was refused, as its log is behind ours.
 *
 * Differs from etcd, which says nothing; only where it is asked for, as it takes messages of which no trace knows.
 */
export function sendCommitHint(raft: Raft, to: number): void {
  const hintIndex = raft.log.committed;
  const hintTerm = raft.log.term(hintIndex);
  if (!raft.settings.commitHints || to === raft.id || hintTerm === UNKNOWN_TERM || hintTerm === 0) return;
  raft.send({
    type: "append-response",
    from: raft.id,
    to,
    term: raft.term,
    index: 0,
    rejected: false,
    hintIndex,
    hintTerm,
  });
}

/** Commits what another knows to be committed; or tells it, if it is the one that knows less. */
export function takeCommitHint(raft: Raft, { from, hintIndex, hintTerm }: CommitHint): void {
  const { log } = raft;
  // An end comes of it: an answer names more than what it answers.
  if (log.committed > hintIndex) sendCommitHint(raft, from);
  // A leader commits by counting, and has nothing to learn here: all that is committed is in its log (Raft §5.4.3).
  if (raft.role === "leader" || !log.maybeCommit(hintIndex, hintTerm)) return;
  // Votes that were asked for in one configuration are not counted in another one.
  const campaigns = raft.role !== "follower";
  if (campaigns && scanForConfChange(log, log.applied).outcome !== "none") becomeFollower(raft, raft.term, NONE);
}
