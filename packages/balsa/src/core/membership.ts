import type { ConfChange } from "./conf-change.js";
import { asConfChangeV2, LEAVE_JOINT } from "./conf-change.js";
import type { ConfState } from "./conf-state.js";
import { allMembers, isVoter } from "./conf-state.js";
import { changeConfig, checkConfig } from "./config-changer.js";
import type { IdSet } from "./id-set.js";
import { NONE } from "./message.js";
import { proposeAsLeader } from "./proposal.js";
import type { Raft } from "./raft.js";
import { broadcastAppend, maybeCommit, maybeSendAppend } from "./replication.js";
import { becomeFollower } from "./roles.js";

/*
 * Membership (thesis §4). A change is an entry of the log like others, and takes effect on a node when that node applies
 * it, not, as in the thesis, when it appends it: safe as long as a leader proposes none before the last is applied
 * (proposal.ts) and nobody campaigns over one that is committed and not applied (election.ts).
 */

/**
 * A committed change takes effect; unless a snapshot has overtaken it. The snapshot's configuration is in force from the
 * moment the snapshot is taken on, while the application may still be applying entries before it: their changes are part
 * of that configuration already, and made once more they could spoil it.
 *
 * Differs from etcd, which makes them once more: there the caller must know better.
 * @param index the entry's; Infinity where the caller does not say
 * @throws BalsaError invalid-argument: it does not fit the configuration, which only switched-off validation can cause
 */
export function applyConfChange(raft: Raft, change: ConfChange, index: number): ConfState {
  const { log } = raft;
  if (index <= Math.max(log.applied, log.unstable.snapshot?.meta.index ?? 0)) return raft.tracker.conf;
  const { conf, joined } = changeConfig(raft.tracker.conf, asConfChangeV2(change));
  switchConfig(raft, conf, joined);
  return conf;
}

/** The configuration of a snapshot, or of stable storage, takes the place of whatever was known: all start afresh. */
export function restoreConfig(raft: Raft, conf: ConfState): void {
  checkConfig(conf);
  switchConfig(raft, conf, allMembers(conf));
}

function switchConfig(raft: Raft, conf: ConfState, joined: IdSet): void {
  const { tracker } = raft;
  tracker.adopt(conf, joined, raft.log.lastIndex());
  if (raft.role !== "leader") return;

  const self = tracker.get(raft.id);
  if (self === undefined || self.isLearner) {
    // Thesis §4.2.2: a leader that is removed, or demoted, leads on until the change is committed. It is committed now.
    // It may even lead beyond that, so that its followers learn of it.
    if (raft.settings.stepDownOnRemoval) becomeFollower(raft, raft.term, NONE);
    return;
  }

  // With other quorums more may be committed.
  if (maybeCommit(raft)) broadcastAppend(raft);
  else for (const progress of tracker.peers) if (progress.id !== raft.id) maybeSendAppend(raft, progress, "entries");

  if (raft.leadTransferee !== NONE && !isVoter(conf, raft.leadTransferee)) raft.leadTransferee = NONE;
}

/** Entries up to `index` are applied; `entryBytes` of them had been handed out. */
export function appliedTo(raft: Raft, index: number, entryBytes: number): void {
  raft.log.appliedTo(Math.max(index, raft.log.applied), entryBytes);
  leaveJointIfDue(raft);
}

/**
 * If the group has come into a joint configuration that is to be left by itself, the leader proposes so (thesis §4.3).
 *
 * It is dropped while leadership is transferred. Differs from etcd, which tries again with the next entry that is applied,
 * and where nobody writes never: here a leader tries again with each election timeout, which also ends a transfer (tick.ts).
 */
export function leaveJointIfDue(raft: Raft): void {
  if (raft.role !== "leader" || !raft.tracker.conf.autoLeave || raft.log.applied < raft.pendingConfIndex) return;
  proposeAsLeader(raft, [LEAVE_PROPOSAL]);
}

/** Empty, which means LEAVE_JOINT: without a payload it is never over the quota. */
const LEAVE_PROPOSAL = { type: "conf-change-v2", data: LEAVE_JOINT.context } as const;
