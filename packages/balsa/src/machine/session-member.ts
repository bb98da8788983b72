import type { Applied, CallOptions } from "../node/index.js";
import type { Clock } from "../platform/index.js";

/**
 * What a session needs of a member of the group; a `RaftNode` is one. Another may stand for a member in another process:
 * then it throws what that member's RaftNode would, and BalsaError with `applied: "unknown"` where it can't tell.
 */
export interface SessionMember {
  /** By which the time for a call is measured. */
  readonly clock: Pick<Clock, "now" | "setTimer">;
  /** As `RaftNode.propose`. */
  propose(data: Uint8Array, options?: CallOptions): Promise<Applied>;
}
