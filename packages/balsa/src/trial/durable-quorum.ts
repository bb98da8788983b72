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
  const has = (id: number): boolean => records.some((record) => record.hasHeld(id, index, term));
  const majority = (half: readonly number[]): boolean => half.filter(has).length * 2 > half.length;
  return majority(voters) && (votersOutgoing.length === 0 || majority(votersOutgoing));
}
