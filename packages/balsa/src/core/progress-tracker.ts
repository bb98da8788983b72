import type { ConfState } from "./conf-state.js";
import { allMembers, EMPTY_CONF_STATE } from "./conf-state.js";
import type { IdSet } from "./id-set.js";
import { NO_IDS, withId } from "./id-set.js";
import type { InflightLimits } from "./inflights.js";
import { jointCommittedIndex, jointVoteResult } from "./joint-quorum.js";
import type { AcknowledgedIndexes, VoteResult } from "./majority-quorum.js";
import { Progress } from "./progress.js";

/** Who belongs to the group, how far each member is, and who has voted how: all that quorums are counted from. */
export class ProgressTracker implements AcknowledgedIndexes {
  readonly limits: InflightLimits;
  conf: ConfState = EMPTY_CONF_STATE;
  /** One for each member of `conf`, sorted by ID. A few, so that walking them beats a map. */
  peers: readonly Progress[] = [];
  /** Votes of the election under way: who has granted and who has rejected. */
  granted: IdSet = NO_IDS;
  rejected: IdSet = NO_IDS;

  constructor(limits: InflightLimits) {
    this.limits = limits;
  }

  get(id: number): Progress | undefined {
    for (const progress of this.peers) if (progress.id === id) return progress;
    return undefined;
  }

  /** Whether sending to any member waits for entries to be fetched into memory. */
  anyAwaitsEntries(): boolean {
    for (const progress of this.peers) if (progress.awaitsEntries) return true;
    return false;
  }

  /**
   * Takes on a configuration. Members that stay keep their progress, except those of `joined`, which start afresh: as
   * recently active, or the next quorum check would count them out before they could say a word, and at the last
   * entry, which is where a probe costs least if the newcomer was given a copy of the state.
   */
  adopt(conf: ConfState, joined: IdSet, lastIndex: number): void {
    const before = this.peers;
    this.conf = conf;
    this.peers = allMembers(conf).map((id) => {
      const isLearner = conf.learners.includes(id);
      const present = joined.includes(id) ? undefined : before.find((progress) => progress.id === id);
      if (present !== undefined) {
        present.isLearner = isLearner;
        return present;
      }
      const progress = new Progress(id, Math.max(lastIndex, 1), isLearner, this.limits);
      progress.recentlyActive = true;
      return progress;
    });
  }

  /** Whether the configuration is this one voter and nobody else votes. */
  isOnlyVoter(id: number): boolean {
    const { voters, votersOutgoing } = this.conf;
    return votersOutgoing.length === 0 && voters.length === 1 && voters[0] === id;
  }

  acknowledgedIndex(id: number): number {
    return this.get(id)?.match ?? 0;
  }

  /** The largest index that a quorum has in its log. */
  committedIndex(): number {
    return jointCommittedIndex(this.conf, this);
  }

  /** Whether a quorum was heard of since the last check. */
  quorumActive(): boolean {
    const active = this.peers.filter((p) => p.recentlyActive && !p.isLearner).map((p) => p.id);
    return jointVoteResult(this.conf, active, NO_IDS) === "won";
  }

  resetVotes(): void {
    this.granted = NO_IDS;
    this.rejected = NO_IDS;
  }

  /** Counts a vote; the first one of each node stands. */
  recordVote(id: number, granted: boolean): void {
    if (this.granted.includes(id) || this.rejected.includes(id)) return;
    if (granted) this.granted = withId(this.granted, id);
    else this.rejected = withId(this.rejected, id);
  }

  voteResult(): VoteResult {
    return jointVoteResult(this.conf, this.granted, this.rejected);
  }
}
