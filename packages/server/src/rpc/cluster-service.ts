import type { EtcdState } from "../machine/etcd-state.js";
import type { Consensus } from "../member/consensus.js";
import { memberListResponse } from "./messages.js";

/** etcd's Cluster. */
export class ClusterService {
  private readonly consensus: Consensus;
  private readonly state: EtcdState;

  constructor(consensus: Consensus, state: EtcdState) {
    this.consensus = consensus;
    this.state = state;
  }

  /** As this member knows it: who belongs to the group, and what each has made known of itself. */
  async memberList(): Promise<Uint8Array> {
    const { clusterId, memberId, term, members } = this.consensus.status();
    return memberListResponse.encode({
      // As etcd: no revision here.
      header: { clusterId, memberId, raftTerm: term },
      members: members.map(({ id, name, address }) => ({
        ID: id,
        name,
        peerURLs: [`http://${address}`],
        clientURLs: this.state.attributesOf(id)?.clientUrls ?? [],
        isLearner: false,
      })),
    });
  }
}
