import { NONE } from "./message.js";
import type { Progress } from "./progress.js";
import type { Raft } from "./raft.js";
import { sendAppend } from "./replication.js";

/*
 * Leadership transfer (thesis §3.10): the leader stops taking proposals, brings the target up to date, and tells it to
 * campaign at once. If nothing has come of it within an election timeout, it leads on (tick.ts).
 */

/** Whoever is asked: the leader acts, a follower passes it on. */
export function transferLeadership(raft: Raft, transferee: number): void {
  if (raft.role === "leader") transferAsLeader(raft, transferee);
  else if (raft.role === "follower" && raft.lead !== NONE) {
    raft.send({ type: "transfer-leader", from: raft.id, to: raft.lead, term: raft.term, transferee });
  }
}

function transferAsLeader(raft: Raft, transferee: number): void {
  const progress = raft.tracker.get(transferee);
  if (progress === undefined || progress.isLearner) return;
  if (raft.leadTransferee === transferee) return;
  // A new target takes the place of the old one; to name this node itself calls the transfer off.
  raft.leadTransferee = NONE;
  if (transferee === raft.id) return;

  raft.electionElapsedTicks = 0;
  raft.leadTransferee = transferee;
  if (isUpToDate(raft, progress)) sendTimeoutNow(raft, transferee);
  else sendAppend(raft, progress);
}

/** The target of a transfer acknowledged entries. */
export function continueTransfer(raft: Raft, progress: Progress): void {
  if (progress.id === raft.leadTransferee && isUpToDate(raft, progress)) sendTimeoutNow(raft, progress.id);
}

function isUpToDate(raft: Raft, progress: Progress): boolean {
  return progress.match === raft.log.lastIndex();
}

function sendTimeoutNow(raft: Raft, to: number): void {
  raft.leaseSurrendered = true;
  raft.send({ type: "timeout-now", from: raft.id, to, term: raft.term });
}
