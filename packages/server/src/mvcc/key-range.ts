import type { ByteString } from "./byte-string.js";

/** Which keys a request is about. */
export type KeyRange =
  | { readonly kind: "key"; readonly key: ByteString }
  /** [from, to) */
  | { readonly kind: "interval"; readonly from: ByteString; readonly to: ByteString }
  /** Every key ≥ from. */
  | { readonly kind: "from"; readonly from: ByteString };

const ZERO_BYTE = "\0";

/** etcd's convention: no end is the one key, an end of one zero byte is "from here on", else the interval. */
export function keyRange(key: ByteString, rangeEnd: ByteString): KeyRange {
  if (rangeEnd === "") return { kind: "key", key };
  if (rangeEnd === ZERO_BYTE) return { kind: "from", from: key };
  return { kind: "interval", from: key, to: rangeEnd };
}
