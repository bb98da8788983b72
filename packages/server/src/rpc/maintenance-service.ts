import type { EtcdState } from "../machine/etcd-state.js";
import type { Consensus } from "../member/consensus.js";
import { type StatusResponse, statusResponse } from "./messages.js";

/** The etcd whose API this server conforms to, which is what clients take a server's version for. */
export const ETCD_API_VERSION = "3.4.23";

/** etcd's Maintenance. */
export class MaintenanceService {
  private readonly consensus: Consensus;
  private readonly state: EtcdState;

  constructor(consensus: Consensus, state: EtcdState) {
    this.consensus = consensus;
    this.state = state;
  }

  /** This member's own view; asks nobody else. */
  async status(): Promise<Uint8Array> {
    const { clusterId, memberId, term, leader, commit, applied } = this.consensus.status();
    const { revision, sizeBytes } = this.state.store;
    const status: StatusResponse = {
      header: { clusterId, memberId, revision, raftTerm: term },
      version: ETCD_API_VERSION,
      // In memory there is no file with holes in it: what is used is what there is.
      dbSize: sizeBytes,
      dbSizeInUse: sizeBytes,
      leader,
      raftIndex: commit,
      raftTerm: term,
      raftAppliedIndex: applied,
      errors: leader === 0 ? ["etcdserver: no leader"] : [],
      isLearner: false,
    };
    return statusResponse.encode(status);
  }
}
