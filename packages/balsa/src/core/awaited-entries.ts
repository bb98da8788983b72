import { resumeCampaign } from "./election.js";
import type { Raft } from "./raft.js";
import type { EntryRange } from "./raft-log.js";
import { sendAllAppends } from "./replication.js";

/*
 * Entries that storage has on disk and not in memory (Storage.entries). Whoever needs them waits, and nobody else: a
 * peer's sending, applying, a campaign that must know of membership changes. The caller fetches them and says so; then
 * each tries again, and waits again where what it needs is still not there.
 */

const NOTHING: readonly never[] = [];

/** What is waited for: each range may be long, and its first entry is all it takes to go on. */
export function entriesNeeded(raft: Raft): readonly EntryRange[] {
  const { log, pendingCampaign } = raft;
  if (!log.applyingAwaitsEntries && pendingCampaign === undefined && !raft.tracker.anyAwaitsEntries()) return NOTHING;
  const needed: EntryRange[] = [];
  // Behind it is the unstable tail, which is in memory.
  const end = log.unstable.offset;
  if (log.applyingAwaitsEntries) needed.push({ from: log.applying + 1, to: Math.min(log.committed + 1, end) });
  if (pendingCampaign !== undefined) {
    needed.push({ from: pendingCampaign.scannedTo + 1, to: Math.min(log.committed + 1, end) });
  }
  for (const { awaitsEntries, next } of raft.tracker.peers) if (awaitsEntries) needed.push({ from: next, to: end });
  return needed;
}

/** Some of what was waited for may be in memory now. */
export function retryAwaitedEntries(raft: Raft): void {
  raft.log.applyingAwaitsEntries = false;
  resumeCampaign(raft);
  for (const progress of raft.tracker.peers) {
    if (!progress.awaitsEntries) continue;
    progress.awaitsEntries = false;
    sendAllAppends(raft, progress);
  }
}
