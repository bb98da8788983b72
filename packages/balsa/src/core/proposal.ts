import type { ConfChange, ConfChangeRefusal } from "./conf-change.js";
import { asConfChangeV2, confChangeStep } from "./conf-change.js";
import { decodeConfChange } from "./conf-change-codec.js";
import { isJoint } from "./conf-state.js";
import type { ProposedEntry } from "./entry.js";
import { unreachable } from "./invariant.js";
import { NONE } from "./message.js";
import type { DropReason, ProposeOutcome } from "./propose-outcome.js";
import type { Raft } from "./raft.js";
import { appendEntries, broadcastAppend } from "./replication.js";

/** A proposal, this node's own or another's, meets this node in whatever role it is (C2). */
export function propose(raft: Raft, from: number, entries: readonly ProposedEntry[]): ProposeOutcome {
  switch (raft.role) {
    case "leader":
      return proposeAsLeader(raft, entries);
    case "follower":
      return proposeAsFollower(raft, from, entries);
    case "pre-candidate":
    case "candidate":
      return dropped("campaigning");
    default:
      throw unreachable(raft.role satisfies never);
  }
}

/** Appends the entries and sends them at once (C3). */
export function proposeAsLeader(raft: Raft, proposed: readonly ProposedEntry[]): ProposeOutcome {
  if (raft.tracker.get(raft.id) === undefined) return dropped("removed");
  if (raft.leadTransferee !== NONE) return dropped("transferring");

  const pendingConfIndex = raft.pendingConfIndex;
  let entries = proposed;
  let refusal: ConfChangeRefusal | undefined;
  for (let i = 0; i < proposed.length; i++) {
    const entry = proposed[i] as ProposedEntry;
    if (entry.type === "normal") continue;
    const reason = admitConfChange(raft, entry, raft.log.lastIndex() + 1 + i);
    if (reason === undefined) continue;
    // In its place goes an empty entry, so that those behind it keep theirs.
    if (entries === proposed) entries = proposed.slice();
    (entries as ProposedEntry[])[i] = EMPTY_PROPOSAL;
    refusal = reason;
  }

  const index = appendEntries(raft, entries);
  if (index === undefined) {
    // Differs from etcd: a change that was not appended is not pending.
    raft.pendingConfIndex = pendingConfIndex;
    return dropped("over-quota");
  }
  broadcastAppend(raft);
  return { kind: "accepted", index, term: raft.term, refusal };
}

const EMPTY_PROPOSAL: ProposedEntry = { type: "normal", data: new Uint8Array(0) };

/** Thesis §4.1: one membership change at a time. Notes where the change will be, if it is let in. */
function admitConfChange(raft: Raft, entry: ProposedEntry, index: number): ConfChangeRefusal | undefined {
  const change = readable(entry);
  if (change === undefined) return "malformed";
  const refusal = raft.settings.disableConfChangeValidation ? undefined : checkConfChange(raft, change);
  if (refusal === undefined) raft.pendingConfIndex = index;
  return refusal;
}

/** Why a change would be refused now. That it fits the configuration in every other way is for the caller to see to. */
export function checkConfChange(raft: Raft, change: ConfChange): ConfChangeRefusal | undefined {
  if (raft.pendingConfIndex > raft.log.applied) return "already-pending";
  const inTermsOfV2 = asConfChangeV2(change);
  if (isJoint(raft.tracker.conf)) return confChangeStep(inTermsOfV2) === "leave-joint" ? undefined : "already-joint";
  return inTermsOfV2.changes.length === 0 ? "not-joint" : undefined;
}

/**
 * Differs from etcd: there a change that can't be decoded stops the leader. Here it is refused, validation or not: a
 * member that had to apply it could not.
 */
function readable(entry: ProposedEntry): ConfChange | undefined {
  try {
    return decodeConfChange(entry);
  } catch {
    return undefined;
  }
}

function proposeAsFollower(raft: Raft, from: number, entries: readonly ProposedEntry[]): ProposeOutcome {
  if (raft.lead === NONE) return dropped("no-leader");
  if (raft.settings.disableProposalForwarding) return dropped("not-leader");
  raft.send({ type: "propose", from, to: raft.lead, term: 0, entries });
  return { kind: "forwarded", to: raft.lead };
}

function dropped(reason: DropReason): ProposeOutcome {
  return { kind: "dropped", reason };
}
