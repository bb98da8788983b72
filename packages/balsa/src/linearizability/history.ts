import { BalsaError } from "../core/index.js";
import type { Operation, Outcome } from "./operation.js";

/** What clients saw of a system: their operations, in the order of the invocations. */
export interface History<Input, Output> {
  readonly operations: readonly Operation<Input, Output>[];
}

/** An operation as a log of some other kind tells it. */
export interface OperationRecord<Input, Output> {
  readonly client: string;
  readonly input: Input;
  readonly outcome: Outcome<Output>;
  readonly invokedAt: number;
  /** Required of a completed operation. */
  readonly endedAt?: number | undefined;
}

interface Event {
  readonly record: number;
  readonly isEnd: boolean;
  readonly at: number;
}

/**
 * A history out of records in any order whose times are all of one clock. Where times are equal nothing is known of the
 * order, so an operation that begins at the instant at which another ends counts as concurrent with it: the benefit of
 * the doubt. A `HistoryRecorder`, which sees the events in their order, doubts less.
 * @throws BalsaError `invalid-argument`: a time that is no number, an end before its invocation, an answer without a time
 */
export function historyOf<Input, Output>(records: readonly OperationRecord<Input, Output>[]): History<Input, Output> {
  const events: Event[] = [];
  for (const [record, { invokedAt, endedAt, outcome }] of records.entries()) {
    checkTimes(invokedAt, endedAt, outcome.kind);
    events.push({ record, isEnd: false, at: invokedAt });
    if (endedAt !== undefined && outcome.kind !== "unknown") events.push({ record, isEnd: true, at: endedAt });
  }
  events.sort((a, b) => a.at - b.at || Number(a.isEnd) - Number(b.isEnd) || a.record - b.record);
  const endedRanks = new Array<number>(records.length).fill(Number.POSITIVE_INFINITY);
  for (const [rank, event] of events.entries()) if (event.isEnd) endedRanks[event.record] = rank;
  const operations: Operation<Input, Output>[] = [];
  for (const [rank, event] of events.entries()) {
    if (event.isEnd) continue;
    const { client, input, outcome, invokedAt, endedAt } = records[event.record] as OperationRecord<Input, Output>;
    const endedRank = endedRanks[event.record] as number;
    operations.push({
      id: operations.length,
      client,
      input,
      outcome,
      invokedAt,
      endedAt,
      invokedRank: rank,
      endedRank,
    });
  }
  return { operations };
}

function checkTimes(invokedAt: number, endedAt: number | undefined, outcome: Outcome<unknown>["kind"]): void {
  if (!Number.isFinite(invokedAt)) throw new BalsaError("invalid-argument", `invokedAt is ${invokedAt}`);
  if (endedAt === undefined) {
    if (outcome === "completed") throw new BalsaError("invalid-argument", "a completed operation has no endedAt");
  } else if (!Number.isFinite(endedAt) || endedAt < invokedAt) {
    throw new BalsaError("invalid-argument", `endedAt is ${endedAt}, invokedAt ${invokedAt}`);
  }
}
