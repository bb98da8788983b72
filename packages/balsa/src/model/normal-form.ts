import type { NodeState, PeerState } from "../core/index.js";
import type { Configuration } from "./configuration.js";

/*
 * Ticks as the explorer has them. A leader's heartbeat and its quorum check are reached by one tick each and not by the
 * same one; between a lease that has run out (ELECTION_TICKS) and the election (RANDOMIZED_TICKS) there is a tick to
 * stand on.
 */
export const ELECTION_TICKS = 3;
export const HEARTBEAT_TICKS = 2;
export const RANDOMIZED_TICKS: number = ELECTION_TICKS + 2;

const NOBODY: readonly never[] = [];

type ReadLeaseState = NodeState["readLease"];

const NO_LEASE: ReadLeaseState = { round: 0, roundAgeTicks: 0, ageTicks: Number.MAX_SAFE_INTEGER };

/**
 * The same state, with what its future does not depend on put to one value, so that states that differ in nothing else
 * are one. Each part is dead for a reason that lies in the core:
 */
export function normalForm(state: NodeState, configuration: Configuration): NodeState {
  const timers = { ...state, ...normalTimers(state, configuration), randomizedElectionTicks: RANDOMIZED_TICKS };
  if (!configuration.reductions.deadState) return timers;
  const leads = state.role === "leader";
  const campaigns = state.role === "candidate" || state.role === "pre-candidate";
  return {
    ...timers,
    // Progress is a leader's. Whoever becomes one restarts all of it (roles.ts: reset).
    peers: leads ? livingPeers(state.peers, configuration) : state.peers.map(idlePeer),
    // Votes are counted in a campaign, and each campaign begins by forgetting them.
    granted: campaigns ? state.granted : NOBODY,
    rejected: campaigns ? state.rejected : NOBODY,
    // It is only ever asked whether it lies above the applied index, which grows.
    readLease: leads ? livingLease(state.readLease) : NO_LEASE,
    pendingConfIndex: leads && state.pendingConfIndex > state.applied ? state.pendingConfIndex : 0,
  };
}

/** Ages beyond an election timeout are all the same: too old. */
function livingLease({ round, roundAgeTicks, ageTicks }: ReadLeaseState): ReadLeaseState {
  const age = ageTicks < ELECTION_TICKS ? ageTicks : NO_LEASE.ageTicks;
  return round === 0
    ? { ...NO_LEASE, ageTicks: age }
    : { round, roundAgeTicks: Math.min(roundAgeTicks, ELECTION_TICKS), ageTicks: age };
}

/** Which of the timers tell states apart. */
function normalTimers(
  state: NodeState,
  { clock, checkQuorum }: Configuration,
): Pick<NodeState, "electionElapsedTicks" | "heartbeatElapsedTicks"> {
  // Past the lease's end a follower's timer says nothing more, until it fires; and that is an input.
  const elapsed = Math.min(state.electionElapsedTicks, ELECTION_TICKS);
  if (clock === "lockstep")
    return { electionElapsedTicks: elapsed, heartbeatElapsedTicks: state.heartbeatElapsedTicks };
  // Timers fire when they please. What remains is whether a follower's lease has run out, where anyone asks for it:
  // without a leader there is no lease, and the timer begins anew with the next leader's first word.
  const leaseOut = checkQuorum === true && state.role === "follower" && state.lead !== 0 && elapsed === ELECTION_TICKS;
  return { electionElapsedTicks: leaseOut ? ELECTION_TICKS : 0, heartbeatElapsedTicks: 0 };
}

/** Whether a peer is recently active matters to quorum checks, and to who is sent a snapshot. */
function livingPeers(peers: readonly PeerState[], configuration: Configuration): readonly PeerState[] {
  const { checkQuorum, budgets, nodes, voters } = configuration;
  const matters = checkQuorum === true || budgets.compactions > 0 || (voters?.length ?? nodes) < nodes;
  return matters ? peers : peers.map((peer) => ({ ...peer, recentlyActive: true }));
}

function idlePeer({ id, isLearner }: PeerState): PeerState {
  return {
    id,
    isLearner,
    state: "probe",
    match: 0,
    next: 1,
    pendingSnapshot: 0,
    sentCommit: 0,
    appendPaused: false,
    awaitsEntries: false,
    recentlyActive: false,
    confirmedRound: 0,
    inflights: NOBODY,
  };
}
