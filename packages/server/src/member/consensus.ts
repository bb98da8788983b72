/**
 * What the server needs of a replicated log; `RaftNode` of `balsa` has it. Errors are BalsaErrors.
 */
export interface Consensus {
  /** The current term. */
  readonly term: number;
  /** Who leads; 0 = none is known. */
  readonly leader: number;
  /** Replicates a command; gives what the local state machine answered. Waits for a leader. */
  propose(data: Uint8Array, options?: CallOptions): Promise<{ readonly result: Uint8Array }>;
  /** Once it resolves, the local state machine has applied all that was committed when it was called. */
  read(options?: CallOptions): Promise<unknown>;
  status(): ConsensusStatus;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly timeoutMs?: number;
}

export interface ConsensusStatus {
  readonly clusterId: number;
  readonly memberId: number;
  readonly term: number;
  /** 0 = none is known. */
  readonly leader: number;
  readonly commit: number;
  readonly applied: number;
  readonly members: readonly ConsensusMember[];
}

export interface ConsensusMember {
  readonly id: number;
  readonly name: string;
  /** Where its peers reach it, `host:port`. */
  readonly address: string;
}
