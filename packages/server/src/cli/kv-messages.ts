import type Long from "long";
import { type MessageCodec, messageCodec } from "../wire/schema.js";

/* KV's messages as a client sees them. What a request leaves out has its default. */

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: Long;
  readonly modRevision: Long;
  readonly version: Long;
  readonly lease: Long;
}

interface Header {
  readonly revision: Long;
}

export interface RangeRequestMessage {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
  readonly limit?: number;
  readonly revision?: number;
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}
export interface RangeResponseMessage {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: Long;
}

export interface PutRequestMessage {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly prevKv?: boolean;
}
export interface PutResponseMessage {
  readonly header: Header;
  readonly prevKv: KeyValue | null;
}

export interface DeleteRangeRequestMessage {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
  readonly prevKv?: boolean;
}
export interface DeleteRangeResponseMessage {
  readonly header: Header;
  readonly deleted: Long;
  readonly prevKvs: readonly KeyValue[];
}

export const rangeRequest: MessageCodec<unknown, RangeRequestMessage> = messageCodec("etcdserverpb.RangeRequest");
export const rangeResponse: MessageCodec<RangeResponseMessage> = messageCodec("etcdserverpb.RangeResponse");
export const putRequest: MessageCodec<unknown, PutRequestMessage> = messageCodec("etcdserverpb.PutRequest");
export const putResponse: MessageCodec<PutResponseMessage> = messageCodec("etcdserverpb.PutResponse");
export const deleteRangeRequest: MessageCodec<unknown, DeleteRangeRequestMessage> = messageCodec(
  "etcdserverpb.DeleteRangeRequest",
);
export const deleteRangeResponse: MessageCodec<DeleteRangeResponseMessage> = messageCodec(
  "etcdserverpb.DeleteRangeResponse",
);
