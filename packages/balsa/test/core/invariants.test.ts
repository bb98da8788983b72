import { describe, expect, it } from "vitest";
import type { NodeState, PeerState } from "../../src/core/index.js";
import { checkDelta, checkState } from "../../src/core/index.js";
import { entriesFrom, entry, snapshotAt } from "./entries.js";
import { Scenario } from "./scenario.js";

/** A leader of term 1 whose log is 1/2 1/3, all but the last committed, with a peer that replicates. */
function leaderState(): NodeState {
  const group = new Scenario({ asyncStorageWrites: true });
  group.elect(1);
  group.holdStorage(1);
  group.isolate(1);
  group.propose(1, "a");
  group.askRead(1, 1);
  return group.member(1).state();
}

function withPeer(state: NodeState, change: Partial<PeerState>): NodeState {
  return { ...state, peers: state.peers.map((peer) => (peer.id === 2 ? { ...peer, ...change } : peer)) };
}

const good = leaderState();

describe("checkState", () => {
  it("finds nothing to complain of in a good state", () => {
    expect(() => checkState(good)).not.toThrow();
  });

  const unstable = (change: Partial<NodeState["unstable"]>): NodeState => ({
    ...good,
    unstable: { ...good.unstable, ...change },
  });

  it.each<[string, NodeState]>([
    ["what is applied was handed out", { ...good, applied: 9 }],
    ["only what is committed is handed out", { ...good, applying: 9 }],
    ["only what is in the log is committed", { ...good, committed: 9 }],
    ["begin where the unstable log does", unstable({ offsetInProgress: 1 })],
    ["end within the log", unstable({ offsetInProgress: 9 })],
    ["entries follow the snapshot", unstable({ snapshot: snapshotAt(5, 1) })],
    [
      "what a snapshot stands for is committed",
      { ...unstable({ snapshot: snapshotAt(2, 1) }), committed: 1, applying: 1, applied: 1 },
    ],
    ["no snapshot, none in progress", unstable({ snapshotInProgress: true })],
    [
      "only what is in stable storage is waited for",
      { ...good, applyingAwaitsEntries: true, applying: 3, committed: 3 },
    ],
    ["a leader does not campaign", { ...good, pendingCampaign: { kind: "election", scannedTo: 1 } }],
    [
      "whoever gets a snapshot waits for no entries",
      withPeer(good, { state: "snapshot", pendingSnapshot: 1, awaitsEntries: true }),
    ],
    ["a log has no gaps", unstable({ entries: entriesFrom(4, 1) })],
    ["terms never fall", unstable({ entries: [entry(2, 3), entry(1, 4)] })],
    ["of a later term than its node", unstable({ entries: entriesFrom(3, 2) })],
    ["a leader knows that it leads", { ...good, lead: 2 }],
    ["a leader had its own vote", { ...good, vote: 2 }],
    ["a candidate votes for itself", { ...good, role: "candidate", vote: 2 }],
    ["a candidate knows of no leader", { ...good, role: "candidate" }],
    ["a pre-candidate knows of no leader", { ...good, role: "pre-candidate" }],
    ["only a leader leads", { ...good, role: "follower" }],
    ["leadership is transferred to others", { ...good, leadTransferee: 1 }],
    ["only a leader transfers", { ...good, role: "follower", lead: 2, leadTransferee: 3 }],
    ["reads wait only at a leader", { ...good, role: "follower", lead: 2 }],
    ["a progress for each member", { ...good, peers: good.peers.slice(1) }],
    ["a learner's progress says so", withPeer(good, { isLearner: true })],
    ["a vote is granted or rejected", { ...good, granted: [1], rejected: [1] }],
    ["what matches need not be sent", withPeer(good, { match: 3, next: 3 })],
    ["nobody has more than the leader", withPeer(good, { match: 9, next: 10 })],
    ["a peer is told of what is committed", withPeer(good, { sentCommit: 9 })],
    ["pending in its state alone", withPeer(good, { pendingSnapshot: 2 })],
    ["only a replicating peer has a window", withPeer(good, { state: "probe" })],
    ["is not acknowledged, and in order", withPeer(good, { inflights: [{ lastIndex: 1, bytes: 0 }] })],
    ["what is in flight was sent", withPeer(good, { inflights: [{ lastIndex: 9, bytes: 0 }] })],
    ["each waiting read has its round", { ...good, readRound: 0 }],
    [
      "a read waits for a commit index that was",
      { ...good, waitingReads: [{ from: 1, requestId: 1, round: 1, index: 9 }] },
    ],
    ["only rounds that were begun", withPeer(good, { confirmedRound: 9 })],
  ])("complains: %s", (complaint, state) => {
    expect(() => checkState(state)).toThrow(complaint);
  });

  it("a configuration that cannot be", () => {
    expect(() => checkState({ ...good, conf: { ...good.conf, autoLeave: true } })).toThrow("joint");
    expect(() => checkState({ ...good, conf: { ...good.conf, learnersNext: [9] } })).toThrow("outgoing");
  });
});

describe("checkDelta", () => {
  it("finds nothing to complain of between a state and itself", () => {
    expect(() => checkDelta(good, good)).not.toThrow();
  });

  it.each<[string, Partial<NodeState>]>([
    ["a node stays who it is", { id: 2 }],
    ["the term grows only", { term: 0 }],
    ["the commit index grows only", { committed: 1 }],
    ["what was handed out for applying stays so", { applying: 1 }],
    ["the applied index grows only", { applied: 0 }],
    ["one vote a term", { vote: 2 }],
    ["a term has one leader", { lead: 2 }],
    ["drops none of its entries", { unstable: { ...good.unstable, entries: [] } }],
    ["overwrites none of its entries", { unstable: { ...good.unstable, entries: entriesFrom(3, 1) } }],
    ["read rounds grow", { readRound: 0 }],
  ])("complains: %s", (complaint, change) => {
    expect(() => checkDelta(good, { ...good, ...change })).toThrow(complaint);
  });

  it("complains: a committed entry never changes", () => {
    const before = { ...good, committed: 3 };
    const changed = { ...before, term: 2, unstable: { ...good.unstable, entries: entriesFrom(3, 2) } };
    expect(() => checkDelta(before, changed)).toThrow("committed entry never changes");
  });

  it("complains of roles that come from nowhere", () => {
    const follower: NodeState = { ...good, role: "follower", lead: 0 };
    expect(() => checkDelta(follower, good)).toThrow("a leader is elected");
    expect(() => checkDelta(follower, { ...follower, role: "candidate" })).toThrow("begins with a new term");
    const campaigning: NodeState = { ...follower, role: "candidate", term: 2, vote: 1 };
    expect(() => checkDelta(follower, campaigning)).not.toThrow();
  });
});
