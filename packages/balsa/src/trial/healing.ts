import { isJoint } from "../core/index.js";
import type { StateMachine } from "../node/index.js";
import type { Clients } from "./clients.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import {
  CHANGE_FORGOTTEN_MS,
  HEAL_CATCH_UP_MS,
  HEAL_CHANGES_MS,
  HEAL_COMMIT_MS,
  HEAL_DEPARTURE_ELECTIONS,
  HEAL_JOIN_MS,
  HEAL_LEADER_ELECTIONS,
  HEAL_LEADER_MS,
  HEAL_SETTLE_MS,
  HEAL_SNAPSHOT_MS,
  HEAL_STEP_MS,
} from "./limits.js";
import type { Scenario } from "./scenario.js";
import type { Rule } from "./violation.js";

/**
 * The second phase: nothing goes wrong any more, so the cluster must be well again within bounds. A leader that all
 * agree on; then everybody has applied all that is committed, and the same; and logs are no longer than they need be.
 */
export async function heal<Machine extends StateMachine, State, Input, Output>(
  cluster: SimulatedCluster<Machine>,
  clients: Clients<Machine, State, Input, Output>,
  { settings, probes }: Scenario,
): Promise<void> {
  const healing = new Healing(cluster);
  const peaceMs = cluster.world.nowMs;
  const leaderMs = HEAL_LEADER_MS + HEAL_LEADER_ELECTIONS * settings.electionMs;
  const isWell = () => healing.hasLeader() && !healing.isRepairing();
  await healing.within(leaderMs, "a leader that all know, and nobody under repair", isWell);
  if (cluster.violation !== undefined) return;
  await cluster.world.run({ forMs: HEAL_SETTLE_MS });
  if (peaceMs - cluster.askedMs < CHANGE_FORGOTTEN_MS) {
    await cluster.world.run({ forMs: Math.max(0, peaceMs + HEAL_CHANGES_MS - cluster.world.nowMs) });
    const stays = () => healing.hasLeader() && !healing.isChanging();
    await healing.within(leaderMs, "a leader that no change is to depose", stays);
    if (cluster.violation !== undefined) return;
  }
  const ask = (input: unknown, at: number) => {
    const members = healing.members();
    const member = members[at % members.length] ?? 0;
    return { member, call: clients.call({ client: 0, member, input }) };
  };
  const called = probes.map(ask);
  await healing.within(HEAL_COMMIT_MS, "an end of every call", () => {
    const members = healing.members();
    for (const [at, { member, call }] of called.entries()) {
      // A member that is caught up by a snapshot can't say what became of a write that lies before it: asked again, it can.
      // And one that was asked may be none any more: a change of before the peace may be made only by the next leader.
      const hasLeft = call.outcome === "failed" && members.length > 0 && !members.includes(member);
      if (call.outcome === "unknown" || hasLeft) called[at] = ask(call.input, at);
    }
    return !clients.isBusy;
  });
  const refused = called.find(({ call }) => call.outcome !== "completed")?.call;
  if (refused !== undefined) {
    cluster.violate("heals in time", `a healed cluster leaves ${JSON.stringify(refused.input)} without an answer`);
  }
  const isGathering = cluster.members.some(({ record }) => record.isComing);
  const isLeaving = healing.members().length < cluster.members.filter(({ isSpare }) => !isSpare).length;
  const departureMs = isLeaving ? HEAL_DEPARTURE_ELECTIONS * settings.electionMs : 0;
  const catchUpMs = HEAL_CATCH_UP_MS + departureMs + (isGathering ? HEAL_JOIN_MS : 0);
  await healing.within(catchUpMs, "the same applied by all members, and nobody else up", () => healing.isCaughtUp());
  if (cluster.violation !== undefined) return;
  const known = cluster.leader?.node.program?.raft?.status().members ?? [];
  const again = [...cluster.acknowledgedRemovals].find((removed) => known.some(({ id }) => id === removed));
  if (again !== undefined) cluster.violate("an acknowledged change is made", `${again} was removed, and is a member`);
  // A snapshot is due at so many entries, and taken while more come.
  const entriesMax = settings.snapshotLogEntries * 2 + settings.keepEntries;
  const longest = () => cluster.members.find((member) => entriesBehindSnapshot(member) > entriesMax);
  // One that could not be written in the first phase is tried again.
  await healing.within(
    HEAL_SNAPSHOT_MS,
    `no more than ${entriesMax} entries behind a snapshot`,
    () => longest() === undefined,
    "bounded log and disk",
  );
}

function entriesBehindSnapshot<Machine extends StateMachine>({ node }: SimulatedMember<Machine>): number {
  const status = node.program?.raft?.status();
  return status === undefined ? 0 : status.lastIndex - status.snapshotIndex;
}

/** Looks, again and again, whether the cluster is well. */
export class Healing<Machine extends StateMachine> {
  readonly #cluster: SimulatedCluster<Machine>;

  constructor(cluster: SimulatedCluster<Machine>) {
    this.#cluster = cluster;
  }

  async within(limitMs: number, what: string, holds: () => boolean, rule: Rule = "heals in time"): Promise<void> {
    const cluster = this.#cluster;
    const { world } = cluster;
    const endMs = world.nowMs + limitMs;
    for (;;) {
      if (cluster.violation !== undefined || holds()) return;
      if (world.nowMs >= endMs) {
        cluster.violate(rule, `not within ${limitMs} ms of peace: ${what}; ${this.#standing()}`);
        return;
      }
      // Those that were being stopped when peace came.
      for (const member of cluster.members) {
        cluster.relieve(member);
        cluster.restart(member);
      }
      await world.run({ forMs: HEAL_STEP_MS });
    }
  }

  /** Whom clients may ask: not one that was removed, and has not gone yet, nor one that is still coming. */
  members(): readonly number[] {
    const known = this.#cluster.leader?.node.program?.raft?.status().members ?? [];
    const there = this.#cluster.members.filter(({ record }) => {
      return !record.isComing && known.some(({ id }) => id === record.memberId);
    });
    return there.map(({ number }) => number);
  }

  /** All voters know it. Those that come, or that are to go, may take longer. */
  hasLeader(): boolean {
    const leader = this.#cluster.leader?.node.program?.raft;
    if (leader === undefined) return false;
    const { memberId, members } = leader.status();
    const voters = members.filter(({ role }) => role === "voter");
    return this.#cluster.members.every(({ name, node, record }) => {
      if (record.isComing || !voters.some((voter) => voter.name === name)) return true;
      const raft = node.program?.raft;
      return raft !== undefined && raft.leader === memberId && raft.term === leader.term;
    });
  }

  /** Or about to find out whether it must be; or to be given up by its operator. */
  isRepairing(): boolean {
    return this.#cluster.members.some(({ node, record, isSpare, isBeyondRepair }) => {
      if (isSpare || record.isComing) return false;
      return isBeyondRepair || node.program === undefined || node.program.raft?.status().repair !== undefined;
    });
  }

  /** The leader has a change of the members to make still, one of an earlier leader's perhaps. */
  isChanging(): boolean {
    const { node, record } = this.#cluster.leader ?? {};
    const applied = node?.program?.raft?.status().applied ?? 0;
    return record?.confState === undefined || isJoint(record.confState) || record.lastChange > applied;
  }

  isCaughtUp(): boolean {
    const leader = this.#cluster.leader?.node.program?.raft?.status();
    if (leader === undefined) return false;
    const there = this.#cluster.members.filter((member) => !member.isSpare && !this.#isForsaken(member));
    return (
      there.length === leader.members.length &&
      there.every(({ node, record }) => {
        const status = node.program?.raft?.status();
        const isMember = leader.members.some(({ id }) => id === status?.memberId);
        return isMember && !record.isComing && status?.applied === leader.lastIndex;
      })
    );
  }

  /**
   * It was removed while it could not be told, and nobody is left at the addresses that it knows: it asks for votes in vain
   * until its operator ends it.
   */
  #isForsaken({ name, node, record }: SimulatedMember<Machine>): boolean {
    const status = node.program?.raft?.status();
    if (status === undefined || !this.#cluster.group.isGone(record.memberId)) return false;
    const known = this.#cluster.members.filter((other) => status.members.some((member) => member.name === other.name));
    return known.every((other) => other.name === name || other.isSpare);
  }

  #standing(): string {
    return this.#cluster.members
      .map(({ name, node, isSpare }) => {
        const raft = node.program?.raft;
        if (isSpare) return `${name} is spare`;
        if (raft === undefined) return `${name} is ${node.isUp ? "starting" : "down"}`;
        const { role, term, commit, applied, lastIndex, repair } = raft.status();
        const what = repair === undefined ? role : `under repair, lacks ${repair.lost}, waits for ${repair.waitsFor},`;
        return `${name} ${what} term ${term} commit ${commit} applied ${applied} last ${lastIndex}`;
      })
      .join(", ");
  }
}
