import { BalsaError, isJoint } from "../core/index.js";
import type { ChangeApplied, RaftNode, RaftNodeStatus, StateMachine } from "../node/index.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import type { MembershipFault } from "./fault.js";
import { CHANGE_FORGOTTEN_MS, CHANGE_TIMEOUT_MS } from "./limits.js";

type Of<Kind extends MembershipFault["kind"]> = Extract<MembershipFault, { readonly kind: Kind }>;

/**
 * What operators do with a cluster's members; and disks that are lost, as far as a cluster can bear it: one at a time,
 * and never while a change is under way that could make of the voter that lost it one that a quorum depends on.
 */
export class MembershipFaults<Machine extends StateMachine> {
  readonly #cluster: SimulatedCluster<Machine>;
  /** When it is sure that nothing more can come of a change that takes votes away. */
  readonly #shrinking = new Map<object, number>();

  constructor(cluster: SimulatedCluster<Machine>) {
    this.#cluster = cluster;
  }

  /** False: there was nobody to hit, or it would have been too much. `restart`: starts it after a while. */
  inflict(fault: MembershipFault, restart: (member: SimulatedMember<Machine>, afterMs: number) => void): boolean {
    switch (fault.kind) {
      case "wipe": {
        const member = this.#cluster.find(fault.target);
        if (member === undefined || !this.mayLoseDisk(member)) return false;
        this.#cluster.wipe(member);
        restart(member, fault.forMs);
        return true;
      }
      case "add-member":
        return this.#add(fault);
      case "remove-member":
      case "promote":
      case "demote":
      case "replace-member":
        return this.#change(fault);
      case "transfer-leadership":
        return this.#transfer(fault);
      default:
        fault satisfies never;
        throw new Error("unknown fault");
    }
  }

  /**
   * Whether what is committed survives if this member's disk is lost, and the cluster can go on without it: all other
   * voters have their disks, and nothing is known or on its way that takes votes from them.
   */
  mayLoseDisk({ record, name }: SimulatedMember<Machine>): boolean {
    const cluster = this.#cluster;
    const leader = cluster.leader;
    const status = leader?.node.program?.raft?.status();
    const confState = leader?.record.confState;
    if (status === undefined || confState === undefined || isJoint(confState)) return false;
    if (status.commit !== cluster.group.committedIndex || this.#isShrinking()) return false;
    const { voters } = confState;
    // What was seen in its last turn may have been overtaken since.
    const now = status.members.filter(({ role }) => role === "voter");
    if (now.length !== voters.length || !now.every(({ id }) => voters.includes(id))) return false;
    // What one acknowledges whose incarnation is not recorded does not count yet: then the others depend on this one.
    if (now.some(({ incarnation }) => incarnation === 0)) return false;
    const others = cluster.members.filter((other) => other.name !== name && voters.includes(other.record.memberId));
    const isVoter = voters.includes(record.memberId);
    return (
      status.members.some((member) => member.id === record.memberId) &&
      record.hasTakenPart &&
      others.length === voters.length - (isVoter ? 1 : 0) &&
      // Enough to go on without it: a learner too, which the leader may be about to promote, not knowing yet that it is lost.
      others.length >= 2 &&
      others.every((other) => other.record.hasTakenPart) &&
      cluster.members.every((each) => {
        return !each.isRotten && !each.record.hasLostDisk && each.record.lastChange <= status.applied;
      })
    );
  }

  #add({ target, voter }: Of<"add-member">): boolean {
    const cluster = this.#cluster;
    if (cluster.leader === undefined) return false;
    const asked = cluster.find(target);
    const spare = asked?.isSpare === true ? asked : cluster.members.find(({ isSpare }) => isSpare);
    if (spare === undefined) return false;
    cluster.enlist(spare, voter);
    return true;
  }

  #change(fault: Of<"remove-member" | "promote" | "demote" | "replace-member">): boolean {
    const by = this.#anyUp(fault.by);
    const member = this.#cluster.find(fault.target);
    if (by === undefined || member === undefined) return false;
    const status = by.status();
    const id = idOf(status, member.name);
    if (id === undefined) return false;
    const options = { timeoutMs: CHANGE_TIMEOUT_MS };
    switch (fault.kind) {
      case "promote":
        this.#follow(by.promoteMember(id, options));
        return true;
      case "demote":
        if (this.#isShort()) return false;
        this.#follow(by.demoteMember(id, options), this.#shrinks());
        return true;
      case "remove-member":
        return this.#remove(member, id, () => by.removeMember(id, options));
      case "replace-member": {
        const heir = this.#cluster.members[fault.to];
        const to = heir === undefined ? undefined : idOf(status, heir.name);
        if (to === undefined || to === id) return false;
        const changes = [{ kind: "remove", id } as const, { kind: "promote", id: to } as const];
        return this.#remove(member, id, () => by.changeMembers(changes, options));
      }
      default:
        fault satisfies never;
        return false;
    }
  }

  #remove(member: SimulatedMember<Machine>, id: number, ask: () => Promise<ChangeApplied>): boolean {
    if (this.#isShort() || member.record.isComing) return false;
    const { removalsAsked } = member;
    removalsAsked.set(id, (removalsAsked.get(id) ?? 0) + 1);
    const shrinks = this.#shrinks();
    this.#follow(ask(), {
      done: () => {
        shrinks.done();
        this.#cluster.acknowledgedRemovals.add(id);
      },
      surelyNot: () => {
        shrinks.surelyNot();
        removalsAsked.set(id, (removalsAsked.get(id) ?? 0) - 1);
      },
    });
    return true;
  }

  #transfer({ to, by }: Of<"transfer-leadership">): boolean {
    const asked = this.#anyUp(by);
    const heir = this.#cluster.members[to];
    if (asked === undefined || heir === undefined) return false;
    const id = idOf(asked.status(), heir.name);
    if (id === undefined) return false;
    this.#follow(asked.transferLeadership(id, { timeoutMs: CHANGE_TIMEOUT_MS }));
    return true;
  }

  /** What becomes of a change is counted; that it fails is no harm, so long as it fails as it is said to. */
  #follow(change: Promise<unknown>, { done, surelyNot }: { done?: () => void; surelyNot?: () => void } = {}): void {
    const { coverage, world } = this.#cluster;
    this.#cluster.askedMs = world.nowMs;
    change.then(
      () => {
        coverage.count("membership changes made");
        done?.();
      },
      (error: unknown) => {
        coverage.count("membership changes refused");
        if (!(error instanceof BalsaError) || error.code === "invariant") {
          const detail = `a membership change failed: ${String(error)}`;
          this.#cluster.violate("nothing out of nowhere", detail, { thrown: error });
        } else if (error.applied === "not-applied") surelyNot?.();
      },
    );
  }

  /** A change that takes a vote away is under way: until it is known what became of it, or forgotten by all. */
  #shrinks(): { readonly done: () => void; readonly surelyNot: () => void } {
    const key = {};
    this.#shrinking.set(key, this.#cluster.world.nowMs + CHANGE_FORGOTTEN_MS);
    const end = (): void => void this.#shrinking.delete(key);
    return { done: end, surelyNot: end };
  }

  #isShrinking(): boolean {
    for (const [key, untilMs] of this.#shrinking) {
      if (untilMs > this.#cluster.world.nowMs) return true;
      this.#shrinking.delete(key);
    }
    return false;
  }

  /** The others depend on each other until the one that lost its disk, or has a damaged one, is back. */
  #isShort(): boolean {
    return this.#cluster.members.some(({ isRotten, record }) => isRotten || record.hasLostDisk);
  }

  /** The member, or the next one that is up. */
  #anyUp(number: number): RaftNode | undefined {
    const { members } = this.#cluster;
    for (let i = 0; i < members.length; i += 1) {
      const raft = members[(number + i) % members.length]?.node.program?.raft;
      if (raft !== undefined) return raft;
    }
    return undefined;
  }
}

function idOf({ members }: RaftNodeStatus, name: string): number | undefined {
  return members.find((member) => member.name === name)?.id;
}
