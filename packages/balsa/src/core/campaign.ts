import type { RaftLog } from "./raft-log.js";
import { NOT_IN_MEMORY } from "./raft-log.js";

/**
 * - `pre-election`: to learn whether an election could be won (thesis §9.6).
 * - `election`: Raft §5.2.
 * - `transfer`: at the leader's bidding (thesis §3.10): at once, and over its lease.
 */
export type CampaignKind = "pre-election" | "election" | "transfer";

/** A campaign that cannot begin yet: whether it may depends on entries that are being fetched into memory. */
export interface PendingCampaign {
  readonly kind: CampaignKind;
  /** Up to here no membership change waits to be applied. What is committed stays so, and this with it. */
  readonly scannedTo: number;
}

/** What a scan came to: `awaits` when the entry behind `scannedTo` is not in memory. */
export type ConfChangeScan =
  | { readonly outcome: "none" | "found" }
  | { readonly outcome: "awaits"; readonly scannedTo: number };

/** Looks for a membership change that is committed and not applied, behind `scannedTo`. */
export function scanForConfChange(log: RaftLog, scannedTo: number): ConfChangeScan {
  // In pages, so that a long backlog is never in memory as a whole.
  for (let lo = Math.max(scannedTo, log.applied) + 1; lo <= log.committed; ) {
    const page = log.slice(lo, log.committed + 1, log.maxApplyingBytes);
    if (page === NOT_IN_MEMORY) return { outcome: "awaits", scannedTo: lo - 1 };
    if (page === undefined || page.length === 0) break;
    if (page.some((entry) => entry.type !== "normal")) return { outcome: "found" };
    lo += page.length;
  }
  return { outcome: "none" };
}
