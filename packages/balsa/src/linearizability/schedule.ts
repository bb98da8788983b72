import { invariant } from "../core/index.js";
import { type CompletedOperation, type EffectiveOperation, isCompleted } from "./operation.js";

/** An operation among those that can be placed, with its own bit in the sets of a search. */
export interface Candidate<Input, Output> {
  readonly operation: EffectiveOperation<Input, Output>;
  /** Completed operations share bits with others that are over when they begin; each unknown one has its own. */
  readonly bit: bigint;
  readonly isReadOnly: boolean;
}

/** What the search must pass, one after the other: the completion of an operation, which must have been placed by then. */
export interface Completion<Input, Output> {
  readonly operation: CompletedOperation<Input, Output>;
  readonly bit: bigint;
  /** The operations that are under way at this instant and will be answered; the next to be answered first. */
  readonly open: readonly Candidate<Input, Output>[];
  /** How many of the schedule's `unknown` were invoked by now. */
  readonly unknownCount: number;
}

/** A history as a just-in-time search goes through it. */
export interface Schedule<Input, Output> {
  readonly completions: readonly Completion<Input, Output>[];
  /** Without a known outcome, by invocation. They stay open to the end. Read-only ones are left out: they don't matter. */
  readonly unknown: readonly Candidate<Input, Output>[];
}

export function scheduleOf<Input, Output>(
  operations: readonly EffectiveOperation<Input, Output>[],
  isReadOnly: (input: Input) => boolean,
): Schedule<Input, Output> {
  const completed = operations.filter((operation) => isCompleted(operation));
  const unknown = operations
    .filter((operation) => !isCompleted(operation) && !isReadOnly(operation.input))
    .sort((a, b) => a.invokedRank - b.invokedRank)
    .map((operation, i) => ({ operation, bit: 1n << BigInt(i), isReadOnly: false }));
  const arriving = completed.toSorted((a, b) => a.invokedRank - b.invokedRank);
  const slots = new Slots();
  const open: Candidate<Input, Output>[] = [];
  const completions: Completion<Input, Output>[] = [];
  let arrived = 0;
  let unknownCount = 0;
  for (const operation of completed.toSorted((a, b) => a.endedRank - b.endedRank)) {
    for (let next = arriving[arrived]; next !== undefined; next = arriving[arrived]) {
      if (next.invokedRank > operation.endedRank) break;
      insert(open, { operation: next, bit: slots.take(), isReadOnly: isReadOnly(next.input) });
      arrived += 1;
    }
    while ((unknown[unknownCount]?.operation.invokedRank ?? Number.POSITIVE_INFINITY) < operation.endedRank) {
      unknownCount += 1;
    }
    const bit = open[0]?.bit ?? 0n;
    completions.push({ operation, bit, open: [...open], unknownCount });
    invariant(open.shift()?.operation === operation, "the first that is open must be the next to complete");
    slots.release(bit);
  }
  return { completions, unknown };
}

/** Keeps the list in the order of the completions. */
function insert<Input, Output>(open: Candidate<Input, Output>[], candidate: Candidate<Input, Output>): void {
  let at = open.length;
  while (at > 0 && (open[at - 1] as Candidate<Input, Output>).operation.endedRank > candidate.operation.endedRank) {
    at -= 1;
  }
  open.splice(at, 0, candidate);
}

/** Bits that are not in use. As few as possible, so that the sets stay small numbers. */
class Slots {
  readonly #free: bigint[] = [];
  #count = 0;

  take(): bigint {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#count += 1;
    return 1n << BigInt(this.#count - 1);
  }

  release(bit: bigint): void {
    this.#free.push(bit);
  }
}
