/* etcd's key-value API as a checker of linearizability sees it: requests, answers, and a store that serves them singly. */
import type { SequentialSpecification } from "balsa/linearizability";
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../../src/mvcc/request.js";
import { isReadOnly } from "../../src/mvcc/txn.js";
import { type NaiveResponse, NaiveStore } from "../mvcc/naive-store.js";

export type KvInput =
  | { readonly kind: "range"; readonly request: RangeRequest }
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "delete"; readonly request: DeleteRangeRequest }
  | { readonly kind: "txn"; readonly request: TxnRequest }
  | { readonly kind: "compact"; readonly request: CompactionRequest };

export type KvOutput = NaiveResponse;

export function isRead(input: KvInput): boolean {
  return input.kind === "range" || (input.kind === "txn" && isReadOnly(input.request));
}

function run(store: NaiveStore, input: KvInput): KvOutput {
  switch (input.kind) {
    case "range":
      return store.range(input.request);
    case "put":
      return store.put(input.request);
    case "delete":
      return store.deleteRange(input.request);
    case "txn":
      return store.txn(input.request);
    case "compact":
      return store.compact(input.request.revision);
    default:
      input satisfies never;
      throw new Error("no such request");
  }
}

/** 64-bit leases are no JSON. */
const textOf = (value: object | string | undefined): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));

/** The whole store is one object: every write raises the one revision, so nothing can be checked apart. */
export const etcdSpecification: SequentialSpecification<NaiveStore, KvInput, KvOutput> = {
  name: "etcd's key-value store",
  initial: () => new NaiveStore(),
  apply(store, input) {
    const next = store.clone();
    return [next, run(next, input)];
  },
  sameOutput: (a, b) => textOf(a) === textOf(b),
  stateKey: (store) => store.stateKey(),
  isReadOnly: isRead,
  // Every answer tells the revision, and that never falls.
  rulesOut: (store, _input, output) => typeof output !== "string" && output.revision < store.revision,
  describe: {
    input: ({ kind, request }) => `${kind} ${textOf(request)}`,
    output: (output) => textOf(output),
    state: (store) => `revision ${store.revision}`,
  },
};
