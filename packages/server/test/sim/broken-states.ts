/** The server's state with faults planted in it, and its service with one: what a trial must notice. */
import { decodeCommand, encodeCommand } from "../../src/machine/command.js";
import type { AppliedCommand } from "../../src/machine/etcd-state.js";
import { snapshotChunks } from "../../src/machine/snapshot-writer.js";
import { type EtcdWorkload, etcdWorkload } from "../../src/sim/etcd-workload.js";
import { DigestedState } from "../../src/sim/state-digest.js";
import { decodeCompaction } from "../../src/wire/decode-request.js";
import { messageCodec } from "../../src/wire/schema.js";

const compactionRequest = messageCodec<never, object>("etcdserverpb.CompactionRequest");

/** One member keeps a revision more than the others. */
export function compactionsOfItsOwn(): EtcdWorkload {
  let made = 0;
  class State extends DigestedState {
    readonly #number = made++;

    override apply(batch: readonly AppliedCommand[]): readonly Uint8Array[] {
      return super.apply(this.#number === 1 ? batch.map(oneLess) : batch);
    }
  }
  return { ...etcdWorkload, create: () => new State() };
}

function oneLess({ data }: AppliedCommand): AppliedCommand {
  const { kind, message } = decodeCommand(data);
  if (kind !== "compact") return { data };
  const revision = decodeCompaction(message).revision - 1;
  return { data: encodeCommand("compact", compactionRequest.encode({ revision })) };
}

/** A snapshot that does not say how far the state is compacted. */
export function snapshotsThatForgetCompactions(): EtcdWorkload {
  class State extends DigestedState {
    override snapshot(): Iterable<Uint8Array> {
      return snapshotChunks({ ...this.store.freeze(), compactedRevision: -1 }, []);
    }
  }
  return { ...etcdWorkload, create: () => new State() };
}

/** A snapshot without the versions before the newest: nobody notices who does not ask for the past. */
export function snapshotsWithoutHistory(): EtcdWorkload {
  class State extends DigestedState {
    override snapshot(): Iterable<Uint8Array> {
      const { store } = this;
      const compacted = store.compactedRevision;
      // What a compaction to the newest revision would leave.
      const frozen = store.freeze();
      const keys = [...frozen.keys.histories()].flatMap(({ newest }) => {
        const kept = newest.withoutBefore(store.revision);
        return kept === undefined ? [] : [{ newest: kept }];
      });
      return snapshotChunks(
        { ...frozen, compactedRevision: compacted, keys: { size: keys.length, histories: () => keys } },
        [],
      );
    }
  }
  return { ...etcdWorkload, create: () => new State() };
}

/** Reads what the member happens to have (a client's `serializable`), without asking anybody. */
export function unconfirmedReads(): EtcdWorkload {
  return {
    ...etcdWorkload,
    call: ({ machine, propose }, input) =>
      etcdWorkload.call({ machine, propose, read: () => Promise.resolve() }, input),
  };
}

/** Without the digest, what clients see must tell. */
export function undigested(workload: EtcdWorkload): EtcdWorkload {
  const { digest: _, ...rest } = workload;
  return rest;
}
