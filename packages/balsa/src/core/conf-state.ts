/** A configuration as it stands in snapshots and in stable storage. Lists are sorted by ID. */
export interface ConfState {
  readonly voters: readonly number[];
  /** The outgoing half while in a joint configuration, else empty (thesis §4.3). */
  readonly votersOutgoing: readonly number[];
  readonly learners: readonly number[];
  /** Voters of the outgoing half that become learners when the joint configuration is left. */
  readonly learnersNext: readonly number[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}
