import type { Command, RaftNode, StateMachine } from "balsa/node";
import type { EtcdState } from "../../src/machine/etcd-state.js";
import type { Consensus } from "../../src/member/consensus.js";

/** Puts before each command whose it is, and notes the order in which commands are applied. */
export class TaggedCommands {
  /** Of what is proposed next. */
  operation = 0;
  private readonly operations = new Map<number, number>();

  /** The operations, in the log's order. */
  get appliedOrder(): readonly number[] {
    return [...this.operations].sort(([a], [b]) => a - b).map(([, operation]) => operation);
  }

  tagging(raft: RaftNode): Consensus {
    return {
      get term() {
        return raft.term;
      },
      get leader() {
        return raft.leader;
      },
      status: () => raft.status(),
      close: () => raft.close(),
      propose: (data, options) => {
        const tagged = Buffer.alloc(4 + data.length);
        tagged.writeUInt32BE(this.operation);
        tagged.set(data, 4);
        return raft.propose(tagged, options);
      },
      read: (options) => raft.read(options),
    };
  }

  untagging(state: EtcdState): StateMachine {
    return {
      apply: (batch: readonly Command[]) => {
        for (const { index, data } of batch) this.operations.set(index, Buffer.from(data).readUInt32BE(0));
        return state.apply(batch.map(({ data }) => ({ data: data.subarray(4) })));
      },
      snapshot: () => state.snapshot(),
      restore: (content) => state.restore(content),
    };
  }
}
