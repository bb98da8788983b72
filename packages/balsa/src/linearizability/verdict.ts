import type { CompletedOperation, EffectiveOperation, Operation } from "./operation.js";
import type { Limit } from "./search-in-turns.js";

/** An order in which a part of the history can have taken effect. */
export interface Linearization<Input, Output> {
  /** What that part concerns; undefined: everything. */
  readonly keys: readonly string[] | undefined;
  /** Operations of unknown outcome that are missing need not have taken effect. */
  readonly order: readonly EffectiveOperation<Input, Output>[];
}

/** Why an operation can't take effect in a state. */
export interface Refusal<Input, Output> {
  readonly operation: CompletedOperation<Input, Output>;
  readonly reason: string;
}

/** A longest order of what came before an operation, which leaves that operation without a place. */
export interface Attempt<State, Input, Output> {
  readonly order: readonly EffectiveOperation<Input, Output>[];
  /** After all of them. */
  readonly state: State;
  /** The counterexample's operation, which can't follow, and then all that were under way with it and can't either. */
  readonly refusals: readonly Refusal<Input, Output>[];
}

/** Why a history is not linearizable. */
export interface Counterexample<State, Input, Output> {
  /** The part of the history that fails by itself; undefined: there is but one. */
  readonly keys: readonly string[] | undefined;
  /**
   * The one that can't be placed. All that were answered before it can be, those then under way with them or not, but
   * always with the answers that they were given; together with it they can't.
   */
  readonly operation: CompletedOperation<Input, Output>;
  /** All of the part that was invoked before its answer, itself and the failed ones included. */
  readonly prefix: readonly Operation<Input, Output>[];
  /** The longest partial linearizations, one for each state that they end in; the longest first, at most twelve. */
  readonly attempts: readonly Attempt<State, Input, Output>[];
}

export type Verdict<State, Input, Output> =
  | {
      readonly kind: "linearizable";
      /** The proof, part by part. */
      readonly linearizations: readonly Linearization<Input, Output>[];
      /** How often the model was asked. */
      readonly steps: number;
    }
  | {
      readonly kind: "not-linearizable";
      readonly counterexample: Counterexample<State, Input, Output>;
      readonly steps: number;
    }
  /** A limit was reached before there was a proof either way. Not a pass. */
  | {
      readonly kind: "undecided";
      readonly limit: Limit;
      /** The part whose search was broken off; undefined: there is but one. */
      readonly keys: readonly string[] | undefined;
      /** How many of that part's completed operations could be placed, and how many there are. */
      readonly passed: number;
      readonly completed: number;
      readonly steps: number;
    };
