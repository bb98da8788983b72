import type { ByteString } from "./byte-string.js";

/*
 * What the store is asked. Meanings are those of etcd's v3 API. 64-bit numbers that clients may send and no store can
 * reach (a limit of 2^63 − 1) are rounded to the nearest double, which keeps their order to every real one.
 */

export type SortOrder = "none" | "ascend" | "descend";
export type SortTarget = "key" | "version" | "create" | "mod" | "value";

export interface RangeRequest {
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
  /** 0 or less = none. */
  readonly limit: number;
  /** 0 or less = the current one. */
  readonly revision: number;
  readonly sortOrder: SortOrder;
  readonly sortTarget: SortTarget;
  /** Whether the answer may be of the past. */
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Bounds, inclusive; 0 = none. */
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface PutRequest {
  readonly key: ByteString;
  readonly value: ByteString;
  /** 64 bits; 0 = none. */
  readonly lease: bigint;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface DeleteRangeRequest {
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
  readonly prevKv: boolean;
}

export interface CompactionRequest {
  /** What can't be seen at it or later is given up. */
  readonly revision: number;
}

export type CompareResult = "equal" | "not-equal" | "greater" | "less";

/** Holds if every key of the range satisfies it. */
export type Compare = {
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
  readonly result: CompareResult;
} & (
  | { readonly target: "version" | "create" | "mod"; readonly operand: number }
  | { readonly target: "value"; readonly operand: ByteString }
  | { readonly target: "lease"; readonly operand: bigint }
);

export type RequestOp =
  | { readonly kind: "range"; readonly range: RangeRequest }
  | { readonly kind: "put"; readonly put: PutRequest }
  | { readonly kind: "delete-range"; readonly deleteRange: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly txn: TxnRequest }
  /** The client left it empty. */
  | { readonly kind: "nothing" };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  /** Run if every compare holds … */
  readonly success: readonly RequestOp[];
  /** … and else these. */
  readonly failure: readonly RequestOp[];
}
