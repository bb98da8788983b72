import { REQUEST_BYTES_MAX } from "../limits.js";
import { type CommandKind, encodeCommand } from "../machine/command.js";
import { decodeResult } from "../machine/command-result.js";
import type { EtcdState } from "../machine/etcd-state.js";
import type { Consensus } from "../member/consensus.js";
import { checkDeleteRangeRequest, checkPutRequest, checkRangeRequest, checkTxnRequest } from "../mvcc/check-request.js";
import { isReadOnly, isSerializable } from "../mvcc/txn.js";
import { ServerError } from "../server-error.js";
import { decodeCompaction, decodeDeleteRange, decodePut, decodeRange, decodeTxn } from "../wire/decode-request.js";
import { writeRange, writeTxn } from "../wire/encode-response.js";
import { encodeResponse, type Responder } from "../wire/response-header.js";

export interface KvServiceParts {
  readonly consensus: Pick<Consensus, "term" | "propose" | "read">;
  readonly state: EtcdState;
  readonly responder: Responder;
  /** How long a request may wait for the cluster. */
  readonly timeoutMs: number;
}

/**
 * etcd's KV. A write goes into the log in the bytes in which the client sent it: it is decoded here only to be checked,
 * and again when it is applied, but encoded once, by the client.
 */
export class KvService {
  private readonly consensus: KvServiceParts["consensus"];
  private readonly state: EtcdState;
  private readonly responder: Responder;
  private readonly callOptions: { readonly timeoutMs: number };

  constructor(parts: KvServiceParts) {
    this.consensus = parts.consensus;
    this.state = parts.state;
    this.responder = parts.responder;
    this.callOptions = { timeoutMs: parts.timeoutMs };
  }

  async range(message: Uint8Array): Promise<Uint8Array> {
    const request = decodeRange(message);
    checkRangeRequest(request);
    if (!request.serializable) await this.consensus.read(this.callOptions);
    const response = this.state.range(request);
    return this.respond(response.revision, (out) => writeRange(out, response));
  }

  async put(message: Uint8Array): Promise<Uint8Array> {
    checkPutRequest(decodePut(message));
    return this.propose("put", message);
  }

  async deleteRange(message: Uint8Array): Promise<Uint8Array> {
    checkDeleteRangeRequest(decodeDeleteRange(message));
    return this.propose("deleteRange", message);
  }

  /** One that only reads takes no place in the log. */
  async txn(message: Uint8Array): Promise<Uint8Array> {
    const request = decodeTxn(message);
    checkTxnRequest(request);
    if (!isReadOnly(request)) return this.propose("txn", message);
    if (!isSerializable(request)) await this.consensus.read(this.callOptions);
    const response = this.state.readTxn(request);
    return this.respond(response.revision, (out) => writeTxn(out, response));
  }

  async compact(message: Uint8Array): Promise<Uint8Array> {
    decodeCompaction(message);
    return this.propose("compact", message);
  }

  private async propose(kind: CommandKind, message: Uint8Array): Promise<Uint8Array> {
    if (message.length > REQUEST_BYTES_MAX) throw new ServerError("request-too-large");
    const { result } = await this.consensus.propose(encodeCommand(kind, message), this.callOptions);
    const { revision, fields } = decodeResult(result);
    return this.respond(revision, (out) => out.raw(fields));
  }

  private respond(revision: number, writeFields: Parameters<typeof encodeResponse>[3]): Uint8Array {
    return encodeResponse(this.responder, revision, this.consensus.term, writeFields);
  }
}
