import type { ConfState } from "../core/index.js";
import type { MemberRecord } from "./member-record.js";

/**
 * Whether a majority of each half of the configuration has the entry on disk (§5.3; thesis §4.3). Of a member
 * whose disk was lost counts what it had acknowledged: that may reach the leader later, and is why one disk is lost at a
 * time.
 */
export function isOnDurableQuorum(
  records: readonly MemberRecord[],
  index: number,
  term: number,
  { voters, votersOutgoing }: ConfState,
): boolean {
  if (!isOnMajority(records, index, term, voters)) return false;
  return votersOutgoing.length === 0 || isOnMajority(records, index, term, votersOutgoing);
}

function isOnMajority(records: readonly MemberRecord[], index: number, term: number, half: readonly number[]): boolean {
  let count = 0;
  for (const id of half) {
    for (const record of records) {
      if (!record.hasHeld(id, index, term)) continue;
      count += 1;
      break;
    }
  }
  return count * 2 > half.length;
}
