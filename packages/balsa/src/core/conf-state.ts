import type { IdSet } from "./id-set.js";
import { idSet, NO_IDS, sameIds, union } from "./id-set.js";

/**
 * A configuration: who belongs to the group, and as what. It stands in snapshots and in stable storage as it stands in
 * memory. Lists are sorted by ID.
 */
export interface ConfState {
  readonly voters: readonly number[];
  /** The outgoing half while in a joint configuration, else empty (thesis §4.3). */
  readonly votersOutgoing: readonly number[];
  readonly learners: readonly number[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly number[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/** Of a node that has yet to hear of its group. */
export const EMPTY_CONF_STATE: ConfState = {
  voters: NO_IDS,
  votersOutgoing: NO_IDS,
  learners: NO_IDS,
  learnersNext: NO_IDS,
  autoLeave: false,
};

export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** Whether the node votes in either half. */
export function isVoter(conf: ConfState, id: number): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

export function isMember(conf: ConfState, id: number): boolean {
  // Nodes of learnersNext are among the outgoing voters.
  return isVoter(conf, id) || conf.learners.includes(id);
}

/** Voters of both halves. */
export function allVoters(conf: ConfState): IdSet {
  return union(conf.voters, conf.votersOutgoing);
}

export function allMembers(conf: ConfState): IdSet {
  return union(allVoters(conf), conf.learners);
}

/** The same configuration with its lists sorted, whoever wrote them. */
export function sortedConfState(conf: ConfState): ConfState {
  return {
    voters: idSet(conf.voters),
    votersOutgoing: idSet(conf.votersOutgoing),
    learners: idSet(conf.learners),
    learnersNext: idSet(conf.learnersNext),
    autoLeave: conf.autoLeave,
  };
}

export function sameConfState(a: ConfState, b: ConfState): boolean {
  return (
    sameIds(a.voters, b.voters) &&
    sameIds(a.votersOutgoing, b.votersOutgoing) &&
    sameIds(a.learners, b.learners) &&
    sameIds(a.learnersNext, b.learnersNext) &&
    a.autoLeave === b.autoLeave
  );
}
