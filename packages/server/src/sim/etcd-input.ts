import { invariant } from "balsa/core";
import type { Compare } from "../mvcc/request.js";
import type { Store } from "../mvcc/store.js";
import { deleteOp, deleteRange, type KvRequest, put, putOp, range, rangeOp, txn } from "./kv-request.js";

/** As of the revision so many before the newest that the member has which is asked first; negative: after it. */
export interface Behind {
  readonly behind: number;
}

/**
 * What a client asks. Plain data, since scenarios are files. What stands as `Behind` goes by what the asked member has, which
 * nobody knows before the run: `resolve` puts what it comes to in its place.
 */
export type EtcdInput =
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  | {
      readonly kind: "range";
      readonly key: string;
      readonly rangeEnd?: string;
      readonly revision?: number | Behind;
    }
  | { readonly kind: "delete"; readonly key: string; readonly rangeEnd?: string }
  /** Reads the key, and all of them up to another one, in one transaction. */
  | { readonly kind: "look"; readonly key: string; readonly upTo: string }
  /** Puts the key, and reads it back, if it was last changed at that revision (0: if it is not there). */
  | { readonly kind: "swap"; readonly key: string; readonly value: string; readonly seen: number | Behind }
  /** Deletes the key and puts the other one if the key has that value; else puts the key. */
  | {
      readonly kind: "move";
      readonly key: string;
      readonly to: string;
      readonly value: string;
      readonly seen: string | Behind;
    }
  /** Puts the key if it is not there, else deletes it. */
  | { readonly kind: "toggle"; readonly key: string; readonly value: string }
  | { readonly kind: "compact"; readonly revision: number | Behind };

/** Before all keys. */
const FIRST_KEY = "\0";
/** No key has it. */
const NO_VALUE = "none";

export function isRead({ kind }: EtcdInput): boolean {
  return kind === "range" || kind === "look";
}

/** The input by what a member's store has. */
export function resolve(input: EtcdInput, store: Store): EtcdInput {
  switch (input.kind) {
    case "range": {
      const { revision } = input;
      if (typeof revision !== "object") return input;
      // 0 would be the newest one.
      return { ...input, revision: Math.max(1, store.revision - revision.behind) };
    }
    case "compact": {
      const { revision } = input;
      if (typeof revision !== "object") return input;
      return { ...input, revision: Math.max(0, store.revision - revision.behind) };
    }
    case "swap": {
      const { seen, key } = input;
      if (typeof seen !== "object") return input;
      return { ...input, seen: store.find(key, store.revision - seen.behind)?.modRevision ?? 0 };
    }
    case "move": {
      const { seen, key } = input;
      if (typeof seen !== "object") return input;
      return { ...input, seen: store.find(key, store.revision - seen.behind)?.value ?? NO_VALUE };
    }
    default:
      return input;
  }
}

/** The request of etcd's API. The input must be resolved. */
export function requestOf(input: EtcdInput): KvRequest {
  switch (input.kind) {
    case "put":
      return { kind: "put", request: put(input.key, input.value, { prevKv: true }) };
    case "range": {
      const { key, rangeEnd = "", revision = 0 } = input;
      return { kind: "range", request: range(key, { rangeEnd, revision: resolved(revision) }) };
    }
    case "delete": {
      const { key, rangeEnd = "" } = input;
      return { kind: "delete", request: deleteRange(key, { rangeEnd, prevKv: true }) };
    }
    case "look":
      return {
        kind: "txn",
        request: txn({ success: [rangeOp(input.key), rangeOp(FIRST_KEY, { rangeEnd: input.upTo })] }),
      };
    case "swap": {
      const { key, value } = input;
      const compare = [{ ...equal(key), target: "mod", operand: resolved(input.seen) } as const];
      return {
        kind: "txn",
        request: txn({ compare, success: [putOp(key, value), rangeOp(key)], failure: [rangeOp(key)] }),
      };
    }
    case "move": {
      const { key, to, value } = input;
      const compare = [{ ...equal(key), target: "value", operand: resolved(input.seen) } as const];
      return {
        kind: "txn",
        request: txn({ compare, success: [deleteOp(key), putOp(to, value)], failure: [putOp(key, value)] }),
      };
    }
    case "toggle": {
      const { key, value } = input;
      const compare = [{ ...equal(key), target: "version", operand: 0 } as const];
      return {
        kind: "txn",
        request: txn({ compare, success: [putOp(key, value)], failure: [deleteOp(key, { prevKv: true })] }),
      };
    }
    case "compact":
      return { kind: "compact", request: { revision: resolved(input.revision) } };
    default:
      input satisfies never;
      throw new Error("no such input");
  }
}

function equal(key: string): Pick<Compare, "key" | "rangeEnd" | "result"> {
  return { key, rangeEnd: "", result: "equal" };
}

function resolved<Value extends string | number>(value: Value | Behind): Value {
  invariant(typeof value !== "object", "etcd input: resolved before it is asked");
  return value;
}
