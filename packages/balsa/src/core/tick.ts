import { isPromotable, startElection } from "./election.js";
import { leaveJointIfDue } from "./membership.js";
import { NONE } from "./message.js";
import type { Raft } from "./raft.js";
import { roundToConfirm } from "./read-index.js";
import { broadcastHeartbeat } from "./replication.js";
import { becomeFollower } from "./roles.js";

/** Time passes, in ticks: the only clock the core has. */
export function tick(raft: Raft): void {
  if (raft.role === "leader") tickLeader(raft);
  else tickElection(raft);
}

/** Raft §5.2: a follower that hears of no leader campaigns; a candidate that has not won tries again. */
function tickElection(raft: Raft): void {
  raft.electionElapsedTicks++;
  if (raft.electionElapsedTicks < raft.randomizedElectionTicks || !isPromotable(raft)) return;
  raft.electionElapsedTicks = 0;
  startElection(raft);
}

function tickLeader(raft: Raft): void {
  raft.heartbeatElapsedTicks++;
  raft.lease.tick();
  raft.electionElapsedTicks++;
  if (raft.electionElapsedTicks >= raft.settings.electionTicks) {
    raft.electionElapsedTicks = 0;
    if (raft.settings.checkQuorum && !checkQuorum(raft)) return;
    // A transfer that has not come about by now is given up.
    raft.leadTransferee = NONE;
    leaveJointIfDue(raft);
  }
  if (raft.heartbeatElapsedTicks >= raft.settings.heartbeatTicks) {
    raft.heartbeatElapsedTicks = 0;
    broadcastHeartbeat(raft, roundToConfirm(raft));
  }
}

/**
 * Thesis §6.2: a leader that heard of no majority for an election timeout steps down, so that clients turn elsewhere,
 * and so that its lease ends.
 */
function checkQuorum(raft: Raft): boolean {
  const active = raft.tracker.quorumActive();
  if (!active) becomeFollower(raft, raft.term, NONE);
  for (const progress of raft.tracker.peers) if (progress.id !== raft.id) progress.recentlyActive = false;
  return active;
}
