import type { KeyVersion } from "./key-version.js";

/* What the store answers. `revision` is what goes into the response's header. */

export interface RangeResponse {
  readonly revision: number;
  readonly versions: readonly KeyVersion[];
  /** Keys in the range, whatever the limit and the bounds on revisions. */
  readonly count: number;
  readonly more: boolean;
  /** The values are to be left out. */
  readonly keysOnly: boolean;
}

export interface PutResponse {
  readonly revision: number;
  /** If it was asked for and there was one. */
  readonly previous: KeyVersion | undefined;
}

export interface DeleteRangeResponse {
  readonly revision: number;
  readonly deleted: number;
  /** If they were asked for. */
  readonly previous: readonly KeyVersion[];
}

export type ResponseOp =
  | { readonly kind: "range"; readonly range: RangeResponse }
  | { readonly kind: "put"; readonly put: PutResponse }
  | { readonly kind: "delete-range"; readonly deleteRange: DeleteRangeResponse }
  | { readonly kind: "txn"; readonly txn: TxnResponse };

export interface TxnResponse {
  /** 0 in a nested one: etcd leaves its header empty. */
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}
