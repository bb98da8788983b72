import {
  BalsaError,
  type BalsaErrorCode,
  invariant,
  isJoint,
  isVoter,
  NONE,
  type PeerStatus,
  type RawNode,
} from "../core/index.js";
import type { Random } from "../platform/index.js";
import type { Transport } from "../transport/index.js";
import type { AbortSignalLike } from "./abort.js";
import { type Answering, Call } from "./call.js";
import type { ClusterMembers } from "./cluster-members.js";
import type { MemberRecord } from "./configuration.js";
import type { Deadlines } from "./deadlines.js";
import { PROMOTION_LAG_ENTRIES_MAX } from "./limits.js";
import { type MemberChange, membershipRefused, type PlannedChange, planChange } from "./member-change.js";

/**
 * A membership change that was applied, and is known for good where it was made; a joint configuration that it passed
 * through has been left. Where it takes votes away, a majority of those that vote now know that it is committed.
 */
export interface ChangeApplied {
  readonly index: number;
  readonly term: number;
  /** IDs of the members that it added, in the order of the changes. */
  readonly added: readonly number[];
}

export interface MembershipParts {
  readonly raw: RawNode;
  readonly transport: Transport;
  readonly random: Random;
  readonly members: ClusterMembers;
  readonly deadlines: Deadlines;
  /** A member that was not heard of for so long counts as out of reach. */
  readonly electionTicks: number;
  readonly applied: () => { readonly index: number; readonly term: number };
  readonly schedule: () => void;
}

/** What a caller waits for. */
interface Awaited {
  readonly index: number;
  readonly term: number;
  readonly added: readonly number[];
  /** Transfers: to whom; 0 for changes. */
  readonly transferee: number;
  /** Whether more than this member must know of it. */
  readonly needsWitness: boolean;
}

/** A caller that waits for a change, or for a transfer, that was begun. */
class Pending extends Call<ChangeApplied> {
  readonly index: number;
  readonly term: number;
  readonly added: readonly number[];
  /** Transfers: to whom; 0 for changes. */
  readonly transferee: number;
  /** What is committed only when a majority know that the change is; 0 = nothing proposed yet. */
  witness = 0;
  readonly needsWitness: boolean;
  private readonly owner: Membership;

  constructor(owner: Membership, what: Awaited, answering: Answering<ChangeApplied>) {
    super(answering);
    this.owner = owner;
    this.index = what.index;
    this.term = what.term;
    this.added = what.added;
    this.transferee = what.transferee;
    this.needsWitness = what.needsWitness;
  }

  override expire(): void {
    this.fail("timeout", "not known to have come about in time");
  }

  override fail(code: BalsaErrorCode, reason: string, surelyNot: boolean = false): void {
    const what = this.transferee === NONE ? "membership change" : "leadership transfer";
    this.reject(
      new BalsaError(code, `${what}: ${reason}`, {
        applied: surelyNot ? "not-applied" : "unknown",
        retryable: surelyNot && code !== "closed" && code !== "aborted",
      }),
    );
  }

  done(): void {
    const { index, term, added } = this;
    this.succeed({ index, term, added });
  }

  protected override forget(): void {
    this.owner.forget(this);
  }
}

/** Changes of the cluster's members, and of who leads them, as the leader makes them. */
export class Membership {
  private readonly pending: Set<Pending> = new Set();
  private readonly heardTick: Map<number, number> = new Map();
  /** Who was heard last since the tick: mostly the same one, some times a tick. */
  private lastHeard = NONE;
  private nowTick = 0;
  private readonly parts: MembershipParts;

  constructor(parts: MembershipParts) {
    this.parts = parts;
  }

  /** A member's messages came in. */
  heard(from: number): void {
    if (from === this.lastHeard) return;
    this.lastHeard = from;
    this.heardTick.set(from, this.nowTick);
  }

  tick(): void {
    this.nowTick++;
    this.lastHeard = NONE;
    if (this.parts.raw.role === "leader") this.promoteWhoeverCaughtUp();
    // Those whose witness could not be proposed, since leadership was being handed over.
    if (this.pending.size > 0) this.sure();
  }

  isReachable(id: number): boolean {
    const { raw, transport, electionTicks } = this.parts;
    if (id === raw.id) return true;
    const heard = this.heardTick.get(id);
    return transport.connected(id) && heard !== undefined && this.nowTick - heard <= electionTicks;
  }

  /**
   * Checks a change and proposes it; resolves once it is applied here, and no crash can make this member forget it. One
   * that takes votes away resolves only once a majority of the voters know that it is committed: else, with this member's
   * machine lost, they might need the vote of who was demoted or removed, and is switched off since. Not with `force`,
   * which is for where there may be no such majority.
   * @throws BalsaError `membership-refused`, `not-leader`, `invalid-argument`: nothing was proposed
   */
  propose(
    changes: readonly MemberChange[],
    force: boolean,
    timeoutTicks: number,
    signal: AbortSignalLike | undefined,
  ): Promise<ChangeApplied> {
    const { raw } = this.parts;
    const planned = this.plan(changes, force);
    const outcome = raw.proposeConfChange(planned.conf);
    if (outcome.kind !== "accepted") throw notLeader("the leader takes no proposals now");
    this.parts.schedule();
    invariant(outcome.refusal === undefined, "a change that was checked is admitted");
    const added = planned.added.map(({ id }) => id);
    const { index, term } = outcome;
    const takesVotes = this.parts.members.confState.voters.some((id) => !planned.voters.includes(id));
    const needsWitness = takesVotes && !force;
    return this.wait({ index, term, added, transferee: NONE, needsWitness }, timeoutTicks, signal);
  }

  /** Whether the change takes this leader's vote from it, while others could lead. */
  deposesSelf(changes: readonly MemberChange[], force: boolean): boolean {
    const { raw, members } = this.parts;
    if (!isVoter(members.confState, raw.id)) return false;
    const { voters } = this.plan(changes, force);
    return !voters.includes(raw.id) && voters.some((id) => isVoter(members.confState, id) && this.isReachable(id));
  }

  /**
   * Nothing else is taken on for an election timeout (thesis §3.10): with less time than that a change would wait in vain
   * behind a transfer that does not come about.
   */
  hasTimeToHandOver(ticks: number): boolean {
    return ticks >= this.parts.electionTicks;
  }

  /**
   * Hands leadership to `to`, 0 = to the voter that is furthest. Resolves once it leads. Where the caller gives up, the core
   * does so only after an election timeout, and takes no proposals until then: the heir may have been told to campaign, and
   * would be refused for its shorter log when it has deposed a leader that had gone on writing.
   * @throws BalsaError `membership-refused`, `not-leader`
   */
  transfer(
    to: number,
    timeoutTicks: number,
    signal: AbortSignalLike | undefined,
    among: readonly number[] = this.parts.members.confState.voters,
  ): Promise<ChangeApplied> {
    const { raw, members } = this.parts;
    if (raw.role !== "leader") throw notLeader("another member leads");
    const target = to === NONE ? this.furthest(among) : to;
    const { term } = raw;
    if (target === raw.id) return Promise.resolve({ index: 0, term, added: [] });
    if (members.find(target) === undefined)
      throw membershipRefused("unknown-member", `no member ${target.toString(16)}`);
    if (!members.confState.voters.includes(target)) {
      throw membershipRefused("not-a-voter", "who does not vote cannot lead");
    }
    raw.transferLeader(target);
    this.parts.schedule();
    return this.wait({ index: 0, term, added: [], transferee: target, needsWitness: false }, timeoutTicks, signal);
  }

  leaderChanged(): void {
    const { lead } = this.parts.raw;
    if (lead === NONE || lead === this.parts.raw.id) return;
    for (const call of [...this.pending]) {
      if (call.transferee === lead) call.done();
      else if (call.transferee !== NONE) call.fail("not-leader", "another member leads now", true);
    }
  }

  /** The entry of `term` at `index` was applied here. */
  applied(index: number, term: number): void {
    if (this.pending.size === 0) return;
    for (const call of [...this.pending]) {
      if (call.transferee !== NONE || call.index > index) continue;
      // Log matching (§5.3): another term at this index means that ours is in no log.
      if (call.index === index && call.term !== term)
        call.fail("superseded", "a new leader's entry took its place", true);
      else if (call.witness === index) {
        if (call.term === term) call.done();
        else call.fail("superseded", "made, and a new leader came before a majority was known to know of it");
      }
    }
    this.madeUpTo(index);
  }

  /** What is applied is known for good here. */
  sure(): void {
    this.madeUpTo(this.parts.applied().index);
  }

  /**
   * Whoever has an entry that was proposed after a change was applied has learned in the same write that the change is
   * committed, whoever sent it: so a majority knows that when such an entry is committed. An empty one will do. One that
   * does not lead any more, since it removed or demoted itself, can't see to that; it stays for a while (departure.ts).
   */
  private madeUpTo(index: number): void {
    const { raw, members, schedule } = this.parts;
    if (!members.isSure || isJoint(members.confState)) return;
    for (const call of [...this.pending]) {
      if (call.transferee !== NONE || call.index > index || call.witness !== 0) continue;
      if (!call.needsWitness || !isVoter(members.confState, raw.id)) {
        call.done();
        continue;
      }
      if (raw.role !== "leader" || raw.term !== call.term) {
        call.fail("not-leader", "made, and another leads before a majority is known to know of it");
        continue;
      }
      const outcome = raw.propose(NO_BYTES);
      if (outcome.kind !== "accepted") continue;
      call.witness = outcome.index;
      schedule();
    }
  }

  /** The state jumped to `index` by a snapshot. */
  skippedTo(index: number): void {
    for (const call of [...this.pending]) {
      if (call.transferee === NONE && call.index <= index) call.fail("timeout", "its place was passed by a snapshot");
    }
  }

  failAll(code: BalsaErrorCode, reason: string): void {
    for (const call of [...this.pending]) call.fail(code, reason);
  }

  /** Called by a call that settles. */
  forget(call: Pending): void {
    this.parts.deadlines.remove(call);
    this.pending.delete(call);
  }

  private wait(what: Awaited, timeoutTicks: number, signal: AbortSignalLike | undefined): Promise<ChangeApplied> {
    return new Promise((resolve, reject) => {
      const call = new Pending(this, what, { signal, resolve, reject });
      this.pending.add(call);
      this.parts.deadlines.add(call, timeoutTicks);
    });
  }

  // What is checked before anything is proposed: the core would let a change that it refuses end as an empty entry.

  private plan(changes: readonly MemberChange[], force: boolean): PlannedChange {
    const { raw, members, applied } = this.parts;
    if (raw.role !== "leader") throw notLeader("another member leads");
    // A change before the first entry of the own term is committed could overlap one of an earlier leader that is not
    // known of (the thesis' single-server changes, as amended in 2015).
    if (applied().term !== raw.term) throw notLeader("the leader has applied nothing of its own term yet");
    const planned = planChange(members.configuration, changes, () => this.newId());
    const refusal = raw.checkConfChange(planned.conf);
    if (refusal === "already-pending" || refusal === "already-joint") {
      throw membershipRefused("change-pending", "another change is under way");
    }
    if (refusal !== undefined) throw new BalsaError("invalid-argument", `membership change: ${refusal}`);
    for (const change of changes) if (change.kind === "promote") this.checkCaughtUp(change.id);
    if (!force) this.checkQuorum(planned.voters);
    return planned;
  }

  private checkCaughtUp(id: number): void {
    const { raw, members } = this.parts;
    const name = members.find(id)?.name ?? "";
    const progress = raw.status().progress.find((peer) => peer.id === id);
    if (progress !== undefined && this.hasCaughtUp(id, progress)) return;
    const state = progress?.state === "snapshot" ? "a snapshot is on its way to it" : `it has ${progress?.match ?? 0}`;
    throw membershipRefused("not-caught-up", `${name} is to have the log to index ${raw.commit}, and ${state}`);
  }

  private hasCaughtUp(id: number, { state, match }: PeerStatus): boolean {
    const { raw, members } = this.parts;
    return (
      state === "replicate" &&
      raw.commit - match <= PROMOTION_LAG_ENTRIES_MAX &&
      members.find(id)?.incarnation !== 0 &&
      this.isReachable(id)
    );
  }

  private checkQuorum(voters: readonly number[]): void {
    const { members } = this.parts;
    const before = members.confState.voters;
    if (voters.length === before.length && voters.every((id) => before.includes(id))) return;
    const reachable = voters.filter((id) => this.isReachable(id));
    const quorum = Math.floor(voters.length / 2) + 1;
    if (reachable.length >= quorum) return;
    const away = voters.filter((id) => !reachable.includes(id)).map((id) => members.find(id)?.name ?? id.toString(16));
    throw membershipRefused(
      "quorum-at-risk",
      `of the ${voters.length} voters there would be ${quorum} are needed, and ${reachable.length} can be reached, not ${away.join(", ")}`,
    );
  }

  private promoteWhoeverCaughtUp(): void {
    const { raw, members, electionTicks } = this.parts;
    const learners = members.configuration.members.filter(({ promote }) => promote);
    if (learners.length === 0 || raw.commit === 0) return;
    const caughtUp = raw
      .status()
      .progress.find((peer) => learners.some(({ id }) => id === peer.id) && this.hasCaughtUp(peer.id, peer));
    if (caughtUp === undefined) return;
    try {
      const promoted = this.propose([{ kind: "promote", id: caughtUp.id }], false, electionTicks * 10, undefined);
      // Whatever becomes of it, the next tick looks again.
      promoted.catch(() => {});
    } catch (cause) {
      if (!(cause instanceof BalsaError) || cause.code === "invariant") throw cause;
    }
  }

  private furthest(among: readonly number[]): number {
    const { raw } = this.parts;
    let best: PeerStatus | undefined;
    for (const peer of raw.status().progress) {
      if (peer.id === raw.id || !among.includes(peer.id) || !this.isReachable(peer.id)) continue;
      if (best === undefined || peer.match > best.match) best = peer;
    }
    if (best === undefined) throw membershipRefused("quorum-at-risk", "no other voter can be reached");
    return best.id;
  }

  private newId(): number {
    const { random, members } = this.parts;
    for (;;) {
      const id = 2 ** 52 + random.below(2 ** 52);
      if (members.find(id) === undefined && !members.isRemoved(id)) return id;
    }
  }
}

const NO_BYTES = new Uint8Array(0);

export function notLeader(reason: string): BalsaError {
  return new BalsaError("not-leader", reason, { retryable: true });
}

/** Who is to be changed for one that asks to join, given who is known under its name. */
export function changesToJoin(
  asks: { readonly name: string; readonly address: string; readonly incarnation: number; readonly promote: boolean },
  known: MemberRecord | undefined,
  votes: boolean,
): readonly MemberChange[] {
  const { name, address, incarnation, promote } = asks;
  if (known === undefined) return [{ kind: "add-learner", name, address, incarnation, promote }];
  // Added by its operator, and never met. A voter that was never met may have voted all the same, in a life that is lost.
  if (known.incarnation === 0 && !votes) return [{ kind: "update", id: known.id, address, incarnation }];
  // Its directory is lost, and with it what it had promised: the member it was is removed, and a new one begins.
  return [
    { kind: "remove", id: known.id },
    { kind: "add-learner", name, address, incarnation, promote: promote || votes || known.promote },
  ];
}
