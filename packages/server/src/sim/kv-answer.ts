/** A key as etcd's API shows it. */
export interface PlainKeyValue {
  readonly key: string;
  readonly value: string;
  readonly create: number;
  readonly mod: number;
  readonly version: number;
  readonly lease: bigint;
}

/** What the state itself has against a request, unlike a failure of the cluster. */
export type KvRefusal = "key-not-found" | "lease-not-found" | "future-revision" | "compacted";

/** What a client of etcd's KV is answered, without who answers. */
export type KvAnswer =
  | {
      readonly revision: number;
      readonly kvs: readonly PlainKeyValue[];
      readonly count: number;
      readonly more: boolean;
    }
  | { readonly revision: number; readonly previous: PlainKeyValue | undefined }
  | { readonly revision: number; readonly deleted: number; readonly previous: readonly PlainKeyValue[] }
  | { readonly revision: number; readonly succeeded: boolean; readonly responses: readonly KvAnswer[] }
  | { readonly revision: number }
  | KvRefusal;

export function sameAnswer(a: KvAnswer, b: KvAnswer): boolean {
  return sameParts(a, b);
}

/** Of data without cycles and without what JSON does not have, but for bigints. */
function sameParts(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => sameParts((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
  );
}

/** 64-bit leases are no JSON. */
export function answerText(answer: KvAnswer): string {
  return JSON.stringify(answer, (_name, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
}
