/** What a client learned of its operation. */
export type Outcome<Output> =
  /** It was answered: it took effect once, at some instant between its invocation and the answer. */
  | { readonly kind: "completed"; readonly output: Output }
  /** It surely had no effect and will have none. A read without an answer is one of these, however it failed. */
  | { readonly kind: "failed" }
  /** Nobody knows: it takes effect at some instant after its invocation, however late, or never. */
  | { readonly kind: "unknown" };

/** The outcomes of operations that can have had an effect. */
export type Answer<Output> = Exclude<Outcome<Output>, { readonly kind: "failed" }>;

/** One call of one client, from its invocation to what became of it. */
export interface Operation<Input, Output> {
  /** Its place in the history: operations are numbered from 0 in the order of their invocations. */
  readonly id: number;
  /** Who called. One client may have several operations under way. */
  readonly client: string;
  readonly input: Input;
  readonly outcome: Outcome<Output>;
  /** The caller's time, in the caller's unit. */
  readonly invokedAt: number;
  /** When the outcome was known, or the client gave up; undefined: it was still waiting when the history ended. */
  readonly endedAt: number | undefined;
  /** The invocation's place among all events of the history. Times may be equal, ranks never are. */
  readonly invokedRank: number;
  /** The completion's place among all events; infinite for an unknown outcome, which has no end. */
  readonly endedRank: number;
}

/** An operation that may have had an effect and so takes part in a search. */
export interface EffectiveOperation<Input, Output> extends Operation<Input, Output> {
  readonly outcome: Answer<Output>;
}

/** An operation that was answered. */
export interface CompletedOperation<Input, Output> extends Operation<Input, Output> {
  readonly outcome: { readonly kind: "completed"; readonly output: Output };
}

export function isEffective<Input, Output>(
  operation: Operation<Input, Output>,
): operation is EffectiveOperation<Input, Output> {
  return operation.outcome.kind !== "failed";
}

export function isCompleted<Input, Output>(
  operation: Operation<Input, Output>,
): operation is CompletedOperation<Input, Output> {
  return operation.outcome.kind === "completed";
}
