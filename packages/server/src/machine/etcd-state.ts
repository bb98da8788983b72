import { deleteRange } from "../mvcc/delete-range.js";
import { checkPut, type LeaseLookup, put } from "../mvcc/put.js";
import { readRange } from "../mvcc/range.js";
import type { RangeRequest, TxnRequest } from "../mvcc/request.js";
import type { RangeResponse, TxnResponse } from "../mvcc/response.js";
import { Store } from "../mvcc/store.js";
import { readTxn, runTxn } from "../mvcc/txn.js";
import { decodeCompaction, decodeDeleteRange, decodePut, decodeTxn } from "../wire/decode-request.js";
import { writeDeleteRange, writePut, writeTxn } from "../wire/encode-response.js";
import { decodeCommand } from "./command.js";
import { encodeRefusal, encodeResult } from "./command-result.js";
import { decodeAttributes, type MemberAttributes } from "./member-attributes.js";
import { readSnapshot } from "./snapshot-reader.js";
import { snapshotChunks } from "./snapshot-writer.js";

/** A committed command: what the runtime hands over. */
export interface AppliedCommand {
  readonly data: Uint8Array;
}

/** There are no leases yet: whoever names one hears that it does not exist. */
const hasLease: LeaseLookup = () => false;

/**
 * The replicated state: the store, and what members have made known of themselves. Commands change it, in the log's
 * order; everything that is read is read from here. It fits the `StateMachine` of `balsa/node`.
 */
export class EtcdState {
  private kv: Store = new Store();
  private attributes: Map<number, MemberAttributes> = new Map();

  get store(): Store {
    return this.kv;
  }

  attributesOf(memberId: number): MemberAttributes | undefined {
    return this.attributes.get(memberId);
  }

  // What changes it.

  /** One result a command. @throws if a command can't be understood: the member must stop. */
  apply(batch: readonly AppliedCommand[]): readonly Uint8Array[] {
    return batch.map((command) => this.applyCommand(command.data));
  }

  private applyCommand(data: Uint8Array): Uint8Array {
    const { kind, message } = decodeCommand(data);
    switch (kind) {
      case "put":
        return this.applyPut(message);
      case "deleteRange":
        return this.applyDeleteRange(message);
      case "txn":
        return this.applyTxn(message);
      case "compact":
        return this.applyCompact(message);
      case "publish":
        return this.applyPublish(message);
      default:
        kind satisfies never;
        throw new Error("commands: unknown kind");
    }
  }

  private applyPut(message: Uint8Array): Uint8Array {
    const request = decodePut(message);
    try {
      checkPut(this.kv, request, hasLease);
    } catch (cause) {
      return encodeRefusal(cause);
    }
    const txn = this.kv.begin();
    const response = put(txn, request);
    txn.end();
    return encodeResult(response.revision, (out) => writePut(out, response));
  }

  private applyDeleteRange(message: Uint8Array): Uint8Array {
    const txn = this.kv.begin();
    const response = deleteRange(txn, decodeDeleteRange(message));
    txn.end();
    return encodeResult(response.revision, (out) => writeDeleteRange(out, response));
  }

  private applyTxn(message: Uint8Array): Uint8Array {
    const request = decodeTxn(message);
    let response: TxnResponse;
    try {
      response = runTxn(this.kv, request, hasLease);
    } catch (cause) {
      return encodeRefusal(cause);
    }
    return encodeResult(response.revision, (out) => writeTxn(out, response));
  }

  private applyCompact(message: Uint8Array): Uint8Array {
    const { revision } = decodeCompaction(message);
    try {
      this.kv.compact(revision);
    } catch (cause) {
      return encodeRefusal(cause);
    }
    return encodeResult(this.kv.revision, () => {});
  }

  private applyPublish(message: Uint8Array): Uint8Array {
    const attributes = decodeAttributes(message);
    this.attributes.set(attributes.memberId, attributes);
    return encodeResult(this.kv.revision, () => {});
  }

  // What is read. @throws ServerError `future-revision`, `compacted`

  range(request: RangeRequest): RangeResponse {
    return readRange(this.kv, request);
  }

  readTxn(request: TxnRequest): TxnResponse {
    return readTxn(this.kv, request);
  }

  // As a whole.

  /** The state as of this call, in pieces, while commands go on being applied. The same state gives the same bytes. */
  snapshot(): Iterable<Uint8Array> {
    const members = [...this.attributes.values()].sort((a, b) => a.memberId - b.memberId);
    return snapshotChunks(this.kv.freeze(), members);
  }

  /** Replaces all of it; leaves it as it was if the content is not a whole snapshot. @throws BalsaError `corrupt` */
  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    const { store, members } = await readSnapshot(content);
    this.kv = store;
    this.attributes = new Map(members.map((attributes) => [attributes.memberId, attributes]));
  }
}
