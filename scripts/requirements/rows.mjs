const core = "packages/balsa/src/core";
const node = "packages/balsa/src/node";
const storage = "packages/balsa/src/storage";
const transport = "packages/balsa/src/transport";

/**
 * Each requirement in a line, and where it is met.
 * @type {readonly { id: string, what: string, modules: readonly string[] }[]}
 */
export const requirements = [
  {
    id: "A1",
    what: "stable storage's read side, given by the caller, with its errors",
    modules: [`${core}/storage.ts`],
  },
  { id: "A2", what: "storage in memory", modules: [`${core}/memory-storage.ts`] },
  { id: "A3", what: "the unstable tail of the log", modules: [`${core}/unstable.ts`] },
  { id: "A4", what: "the log over both: matching, conflicts, commit, slices", modules: [`${core}/raft-log.ts`] },
  { id: "A5", what: "what to apply next, in bounded batches", modules: [`${core}/raft-log.ts`, `${core}/handover.ts`] },
  { id: "B1", what: "progress of each peer", modules: [`${core}/progress.ts`, `${core}/progress-tracker.ts`] },
  { id: "B2", what: "probe, replicate, snapshot", modules: [`${core}/progress.ts`, `${core}/leader.ts`] },
  { id: "B3", what: "stale acknowledgements change nothing", modules: [`${core}/progress.ts`] },
  { id: "B4", what: "rejections: stale ones, and falling back", modules: [`${core}/progress.ts`, `${core}/leader.ts`] },
  { id: "B5", what: "fast backtracking by terms", modules: [`${core}/raft-log.ts`, `${core}/leader.ts`] },
  { id: "B6", what: "flow control by messages and bytes", modules: [`${core}/inflights.ts`, `${core}/replication.ts`] },
  { id: "B7", what: "the quota of uncommitted bytes", modules: [`${core}/replication.ts`] },
  {
    id: "C1",
    what: "a new leader's first entry, and Figure 8",
    modules: [`${core}/roles.ts`, `${core}/replication.ts`],
  },
  { id: "C2", what: "proposals: taken, forwarded, refused", modules: [`${core}/proposal.ts`, `${node}/proposals.ts`] },
  {
    id: "C3",
    what: "sent at once, together with what arrives together",
    modules: [`${core}/proposal.ts`, `${node}/turn.ts`],
  },
  { id: "C4", what: "what an append carries; a snapshot instead", modules: [`${core}/replication.ts`] },
  { id: "C5", what: "the follower's side of an append", modules: [`${core}/follower.ts`] },
  { id: "C6", what: "the leader's side of an answer", modules: [`${core}/leader.ts`] },
  { id: "C7", what: "heartbeats never tell of more than matches", modules: [`${core}/replication.ts`] },
  { id: "C8", what: "installing snapshots", modules: [`${core}/follower.ts`, `${core}/leader.ts`] },
  { id: "C9", what: "asynchronous storage writes", modules: [`${core}/storage-writes.ts`, `${node}/turn.ts`] },
  { id: "D1", what: "roles and randomized timeouts", modules: [`${core}/roles.ts`, `${core}/tick.ts`] },
  { id: "D2", what: "granting votes", modules: [`${core}/election.ts`, `${core}/candidate.ts`] },
  { id: "D3", what: "promises wait for the disk", modules: [`${core}/raft.ts`, `${core}/storage-writes.ts`] },
  { id: "D4", what: "pre-vote, check-quorum, lease", modules: [`${core}/step.ts`, `${core}/tick.ts`] },
  { id: "D5", what: "leadership transfer, forget-leader", modules: [`${core}/leadership-transfer.ts`] },
  { id: "D6", what: "a leader in time, and never two", modules: [`${core}/election.ts`, `${node}/failover.ts`] },
  { id: "E1", what: "membership changes", modules: [`${core}/membership.ts`, `${core}/config-changer.ts`] },
  { id: "E2", what: "quorum arithmetic", modules: [`${core}/majority-quorum.ts`, `${core}/joint-quorum.ts`] },
  { id: "E3", what: "linearizable reads", modules: [`${core}/read-index.ts`, `${node}/reads.ts`] },
  {
    id: "F1",
    what: "nothing acknowledged is lost",
    modules: [`${storage}/write-ahead-log.ts`, `${storage}/log-recovery.ts`],
  },
  {
    id: "F2",
    what: "compaction behind snapshots",
    modules: [`${node}/snapshotter.ts`, `${storage}/snapshot-store.ts`],
  },
  { id: "F3", what: "snapshots and logs in bounded pieces", modules: [`${transport}/snapshot-sender.ts`] },
  { id: "F4", what: "applying in order, once, without stopping the rest", modules: [`${node}/applier.ts`] },
];
