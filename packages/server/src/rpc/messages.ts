import type Long from "long";
import { type MessageCodec, messageCodec } from "../wire/schema.js";

/* Messages of the services around the store, which nobody sends a thousand times a second. */

/** A 64-bit integer: decoded as Long, to be encoded as a safe integer too. */
type Int64 = Long | number;

export interface ResponseHeader {
  readonly clusterId: Int64;
  readonly memberId: Int64;
  readonly revision?: Int64;
  readonly raftTerm: Int64;
}

export interface StatusResponse {
  readonly header: ResponseHeader;
  readonly version: string;
  readonly dbSize: Int64;
  readonly leader: Int64;
  readonly raftIndex: Int64;
  readonly raftTerm: Int64;
  readonly raftAppliedIndex: Int64;
  readonly errors: readonly string[];
  readonly dbSizeInUse: Int64;
  readonly isLearner: boolean;
}

export interface MemberMessage {
  readonly ID: Int64;
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}

export interface MemberListResponse {
  readonly header: ResponseHeader;
  readonly members: readonly MemberMessage[];
}

export type EmptyMessage = Readonly<Record<string, never>>;

export const statusRequest: MessageCodec<EmptyMessage> = messageCodec("etcdserverpb.StatusRequest");
export const statusResponse: MessageCodec<StatusResponse> = messageCodec("etcdserverpb.StatusResponse");
export const memberListRequest: MessageCodec<EmptyMessage> = messageCodec("etcdserverpb.MemberListRequest");
export const memberListResponse: MessageCodec<MemberListResponse> = messageCodec("etcdserverpb.MemberListResponse");
