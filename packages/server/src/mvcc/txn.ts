import { invariant } from "balsa/core";
import { ServerError } from "../server-error.js";
import { allHold } from "./compare.js";
import { deleteRange } from "./delete-range.js";
import { checkPut, type LeaseLookup, put } from "./put.js";
import { readRange } from "./range.js";
import type { RangeRequest, RequestOp, TxnRequest } from "./request.js";
import type { ResponseOp, TxnResponse } from "./response.js";
import type { ReadView, Store, WriteTxn } from "./store.js";

/** What is left of a transaction once its compares, and those of the nested ones, are decided. */
interface Plan {
  readonly succeeded: boolean;
  readonly steps: readonly Step[];
}
type Step = Exclude<RequestOp, { kind: "txn" | "nothing" }> | { readonly kind: "txn"; readonly plan: Plan };

/** Only ranges, not even nested transactions: needs no place in the log. */
export function isReadOnly(request: TxnRequest): boolean {
  return [...request.success, ...request.failure].every((op) => op.kind === "range");
}

/** Whether a read-only transaction may be answered from the past: if every range in it may. */
export function isSerializable(request: TxnRequest): boolean {
  return [...request.success, ...request.failure].every((op) => op.kind === "range" && op.range.serializable);
}

/**
 * Runs a transaction as a whole or not at all.
 * @throws ServerError `key-not-found`, `lease-not-found`, `future-revision`, `compacted`, `no-space`
 */
export function runTxn(store: Store, request: TxnRequest, hasLease: LeaseLookup): TxnResponse {
  const plan = decide(store, request);
  checkPuts(store, plan, hasLease);
  checkRanges(store, plan);
  const txn = store.begin();
  const responses = run(txn, plan);
  const { revision } = txn;
  txn.end();
  return { revision, succeeded: plan.succeeded, responses };
}

/**
 * Runs a transaction that only reads.
 * @throws ServerError `future-revision`, `compacted`
 */
export function readTxn(view: ReadView, request: TxnRequest): TxnResponse {
  const plan = decide(view, request);
  checkRanges(view, plan);
  const responses = plan.steps.map((step): ResponseOp => {
    invariant(step.kind === "range", "txn: only reads");
    return { kind: "range", range: readRange(view, step.range) };
  });
  return { revision: view.revision, succeeded: plan.succeeded, responses };
}

/** Every compare, the nested ones too, is made on the state before the transaction. */
function decide(view: ReadView, request: TxnRequest): Plan {
  const succeeded = allHold(view, request.compare);
  const steps: Step[] = [];
  for (const op of succeeded ? request.success : request.failure) {
    invariant(op.kind !== "nothing", "txn: empty operations are refused before");
    steps.push(op.kind === "txn" ? { kind: "txn", plan: decide(view, op.txn) } : op);
  }
  return { succeeded, steps };
}

function checkPuts(store: Store, plan: Plan, hasLease: LeaseLookup): void {
  for (const step of plan.steps) {
    if (step.kind === "put") checkPut(store, step.put, hasLease);
    else if (step.kind === "txn") checkPuts(store, step.plan, hasLease);
  }
}

function checkRanges(view: ReadView, plan: Plan): void {
  for (const step of plan.steps) {
    if (step.kind === "range") checkRange(view, step.range);
    else if (step.kind === "txn") checkRanges(view, step.plan);
  }
}

/** As etcd: against the state before the transaction, and unlike a plain range also for negative revisions. */
function checkRange(view: ReadView, { revision }: RangeRequest): void {
  if (revision === 0) return;
  if (revision > view.revision) throw new ServerError("future-revision");
  if (revision < view.compactedRevision) throw new ServerError("compacted");
}

function run(txn: WriteTxn, plan: Plan): readonly ResponseOp[] {
  return plan.steps.map((step): ResponseOp => {
    switch (step.kind) {
      case "range":
        return { kind: "range", range: readRange(txn, step.range) };
      case "put":
        return { kind: "put", put: put(txn, step.put) };
      case "delete-range":
        return { kind: "delete-range", deleteRange: deleteRange(txn, step.deleteRange) };
      case "txn": {
        const { succeeded } = step.plan;
        return { kind: "txn", txn: { revision: 0, succeeded, responses: run(txn, step.plan) } };
      }
      default:
        step satisfies never;
        throw new ServerError("internal", "txn: unknown operation");
    }
  });
}
