import { BalsaError } from "balsa/core";
import type { EtcdState } from "../src/machine/etcd-state.js";
import type { Consensus, ConsensusMember, ConsensusStatus } from "../src/member/consensus.js";

/** A log of one process that forgets everything: agreement is trivial, order is real. For tests of what lies above. */
export class StandInConsensus implements Consensus {
  readonly clusterId = 2 ** 52 + 101;
  readonly memberId = 2 ** 52 + 202;
  term = 2;
  leader: number = this.memberId;
  /** Every call fails with it while it is set. */
  failure: BalsaError | undefined;
  /** Commands that were proposed. */
  readonly log: Uint8Array[] = [];
  reads = 0;
  members: readonly ConsensusMember[] = [{ id: this.memberId, name: "solo", address: "127.0.0.1:2380" }];
  private readonly state: EtcdState;

  constructor(state: EtcdState) {
    this.state = state;
  }

  async propose(data: Uint8Array): Promise<{ readonly result: Uint8Array }> {
    // A turn later, as with a real one: calls that come together overlap.
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.log.push(data);
    const [result] = this.state.apply([{ data }]);
    if (result === undefined) throw new BalsaError("invariant", "one result a command");
    return { result };
  }

  async read(): Promise<void> {
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    this.reads++;
  }

  status(): ConsensusStatus {
    const { clusterId, memberId, term, leader, members } = this;
    const { length } = this.log;
    return { clusterId, memberId, term, leader, commit: length, applied: length, members };
  }

  async close(): Promise<void> {
    this.failure = new BalsaError("closed", "the member is closed");
  }
}
