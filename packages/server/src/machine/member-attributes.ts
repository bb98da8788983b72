import type Long from "long";
import { decodeWith } from "../wire/decode-request.js";
import { toNumber } from "../wire/int64.js";
import { messageCodec } from "../wire/schema.js";

/** What a member has made known of itself. */
export interface MemberAttributes {
  readonly memberId: number;
  readonly name: string;
  /** Where clients reach it. */
  readonly clientUrls: readonly string[];
}

interface WirePublish {
  memberId: Long;
  name: string;
  clientUrls: readonly string[];
}

const codec = messageCodec<WirePublish, MemberAttributes>("balsa.Publish");

export function encodeAttributes(attributes: MemberAttributes): Uint8Array {
  return codec.encode(attributes);
}

/** @throws ServerError `malformed` */
export function decodeAttributes(bytes: Uint8Array): MemberAttributes {
  const { memberId, name, clientUrls } = decodeWith(codec, bytes);
  return { memberId: toNumber(memberId), name, clientUrls };
}

export function sameAttributes(a: MemberAttributes, b: MemberAttributes): boolean {
  return (
    a.memberId === b.memberId &&
    a.name === b.name &&
    a.clientUrls.length === b.clientUrls.length &&
    a.clientUrls.every((url, i) => url === b.clientUrls[i])
  );
}
