/** What a transaction can do to a key. */
export type KeyValueAccess =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  | { readonly kind: "delete"; readonly key: string };

export type KeyValueInput =
  | KeyValueAccess
  /** Undefined stands for no value: expected, that there is none; to be set, that it goes. */
  | {
      readonly kind: "compare-and-set";
      readonly key: string;
      readonly expected: string | undefined;
      readonly value: string | undefined;
    }
  /** If all keys of `when` have these values, the one list, else the other; in order, all at one instant. */
  | {
      readonly kind: "transaction";
      readonly when: readonly { readonly key: string; readonly value: string | undefined }[];
      readonly success: readonly KeyValueAccess[];
      readonly failure: readonly KeyValueAccess[];
    }
  /** All keys from `from` on and before `to`, in order. Connects everything: there is nothing to check apart then. */
  | { readonly kind: "scan"; readonly from: string; readonly to: string };

export type KeyValueResult =
  /** Of a get; undefined: the key has none. */
  | { readonly kind: "value"; readonly value: string | undefined }
  /** Of a put or a delete. */
  | { readonly kind: "done" };

export type KeyValueOutput =
  | KeyValueResult
  | { readonly kind: "compared"; readonly swapped: boolean }
  /** Whether `when` held, and the results of the list that was executed. */
  | { readonly kind: "transaction"; readonly succeeded: boolean; readonly results: readonly KeyValueResult[] }
  | { readonly kind: "entries"; readonly entries: readonly (readonly [string, string])[] };
