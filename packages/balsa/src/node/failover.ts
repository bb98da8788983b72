import { type ConfState, isVoter, NONE, type RawNode } from "../core/index.js";
import type { Clock, Random, Timer } from "../platform/index.js";

/** The voter next in line campaigns at once, the others this much later each: a vote among equals is rarely split. */
const STAGGER_MS = 30;
const JITTER_MS = 10;
/** The first attempt fails where a voter has not noticed yet that the leader is gone: it still keeps to its lease. */
const ATTEMPTS_MAX = 4;

/**
 * A leader whose process has died is noticed by its closed connections, long before an election timeout (gray failure
 * in DESIGN: dead processes). The follower forgets it and campaigns, by pre-vote: where the others still hear from the
 * leader they stay silent, and nothing has happened.
 *
 * The same where a leader loses its vote: it steps down once it has applied that (thesis §4.2.2), and nobody else hears
 * of it. As a rule it has handed over before; where that failed, or where an earlier leader had asked for the change, all
 * would wait for an election timeout.
 */
export class Failover {
  private timer: Timer | undefined;
  private readonly raw: RawNode;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly onInput: () => void;

  /** `onInput` is called after the node was given something to do. */
  constructor(raw: RawNode, clock: Clock, random: Random, onInput: () => void) {
    this.raw = raw;
    this.clock = clock;
    this.random = random;
    this.onInput = onInput;
  }

  /** Connections with `peer` closed; `voters` is the configuration in force. */
  peerDown(peer: number, voters: readonly number[]): void {
    if (this.raw.lead === peer) this.leaderIsGone(voters);
  }

  /** A change of who votes was applied. */
  votersChanged(before: ConfState, after: ConfState): void {
    const { lead } = this.raw;
    // Not one that has no vote yet: changes of long ago are applied under the leader of today.
    if (isVoter(before, lead) && !isVoter(after, lead)) this.leaderIsGone(after.voters);
  }

  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private leaderIsGone(voters: readonly number[]): void {
    const { lead, role } = this.raw;
    if (role !== "follower") return;
    this.raw.forgetLeader();
    if (this.raw.lead !== NONE) return;
    this.onInput();
    const line = voters.filter((voter) => voter !== lead).sort((a, b) => a - b);
    const rank = line.indexOf(this.raw.id);
    if (rank >= 0) this.arm(rank, 1);
  }

  private arm(rank: number, attempt: number): void {
    this.stop();
    const delayMs = (rank + (attempt - 1) * 2) * STAGGER_MS + this.random.below(JITTER_MS);
    this.timer = this.clock.setTimer(delayMs, () => {
      this.timer = undefined;
      const { role, lead } = this.raw;
      // Somebody leads, or a real vote is under way.
      if (lead !== NONE || (role !== "follower" && role !== "pre-candidate")) return;
      this.raw.campaign();
      this.onInput();
      if (attempt < ATTEMPTS_MAX) this.arm(rank, attempt + 1);
    });
  }
}
