import { BalsaError } from "../core/index.js";
import type { Configuration, Placement } from "./configuration.js";
import { explainRefusal } from "./explain-refusal.js";
import type { History } from "./history.js";
import { CONFIGURATIONS_MAX_DEFAULT, STEPS_MAX_DEFAULT } from "./limits.js";
import type { Model } from "./model.js";
import { type EffectiveOperation, isCompleted, isEffective, type Operation } from "./operation.js";
import { type Partition, partitionsOf } from "./partition.js";
import type { Completion } from "./schedule.js";
import { type Budget, searchInTurns } from "./search-in-turns.js";
import type { Attempt, Counterexample, Linearization, Refusal, Verdict } from "./verdict.js";

export interface CheckOptions {
  /** How often the model may be asked, over all parts of the history. Default 5,000,000, some seconds. */
  readonly stepsMax?: number | undefined;
  /** How many configurations may be remembered at once, some 250 bytes each. Default 500,000. */
  readonly configurationsMax?: number | undefined;
  /**
   * Operations, by their `id`, in an order in which they probably took effect: that of the log that they went through,
   * where there is one. What only reads need not be in it. It is tried first, and decides at once if it is right; whatever
   * it says, the verdict rests on the history and the model alone.
   */
  readonly likelyOrder?: readonly number[] | undefined;
}

/**
 * Whether there is an order of all operations in which each takes effect at one instant between its invocation and its
 * completion, and in which the model gives the answers that were given (Herlihy and Wing 1990). Parts of the history
 * that have nothing to do with each other are checked one by one, the smallest first. One that fails proves the whole
 * wrong; where none does and one ran into a limit, nothing is known.
 * @throws BalsaError `invalid-argument`: a limit that is no positive number, a model that contradicts itself
 */
export function checkLinearizability<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  options: CheckOptions = {},
): Verdict<State, Input, Output> {
  const stepsMax = positive("stepsMax", options.stepsMax ?? STEPS_MAX_DEFAULT);
  const configurationsMax = positive("configurationsMax", options.configurationsMax ?? CONFIGURATIONS_MAX_DEFAULT);
  const budget: Budget = { stepsLeft: stepsMax, configurationsMax };
  const parts = partitionsOf(model, history.operations.filter(isEffective<Input, Output>));
  parts.sort((a, b) => a.operations.length - b.operations.length);
  const ranks = new Map(options.likelyOrder?.map((id, rank) => [id, rank]));
  const linearizations: Linearization<Input, Output>[] = [];
  let undecided: Extract<Verdict<State, Input, Output>, { kind: "undecided" }> | undefined;
  for (const { keys, operations } of parts) {
    const result = searchInTurns(model, operations, budget, inLikelyOrder(operations, ranks));
    const steps = stepsMax - budget.stepsLeft;
    switch (result.kind) {
      case "found":
        linearizations.push({ keys, order: orderOf(result.path) });
        break;
      case "exhausted": {
        const { completion, deadEnds } = result;
        const counterexample = counterexampleOf(model, history, { keys, operations }, completion, deadEnds);
        return { kind: "not-linearizable", counterexample, steps };
      }
      case "limited": {
        const { limit, passed } = result;
        const completed = operations.filter(isCompleted<Input, Output>).length;
        undecided ??= { kind: "undecided", limit, keys, passed, completed, steps };
        break;
      }
      default:
        result satisfies never;
    }
  }
  const steps = stepsMax - budget.stepsLeft;
  return undecided === undefined ? { kind: "linearizable", linearizations, steps } : { ...undecided, steps };
}

/** Those whose place in the likely order is known, in that order. */
function inLikelyOrder<Input, Output>(
  operations: readonly EffectiveOperation<Input, Output>[],
  ranks: ReadonlyMap<number, number>,
): readonly EffectiveOperation<Input, Output>[] {
  if (ranks.size === 0) return [];
  const rankOf = ({ id }: EffectiveOperation<Input, Output>): number => ranks.get(id) ?? -1;
  return operations.filter(({ id }) => ranks.has(id)).sort((a, b) => rankOf(a) - rankOf(b));
}

function counterexampleOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: History<Input, Output>,
  part: Partition<Input, Output>,
  completion: Completion<Input, Output>,
  deadEnds: readonly Configuration<State, Input, Output>[],
): Counterexample<State, Input, Output> {
  const { operation } = completion;
  const effective = new Set<Operation<Input, Output>>(part.operations);
  const isOfPart = (other: Operation<Input, Output>): boolean =>
    effective.has(other) || (!isEffective(other) && touches(model.keys?.(other.input), part.keys));
  return {
    keys: part.keys,
    operation,
    prefix: history.operations.filter((other) => other.invokedRank < operation.endedRank && isOfPart(other)),
    attempts: deadEnds.map((deadEnd) => attemptOf(model, completion, deadEnd)),
  };
}

function touches(keys: readonly string[] | undefined, those: readonly string[] | undefined): boolean {
  return keys === undefined || those === undefined || keys.some((key) => those.includes(key));
}

function attemptOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  { open }: Completion<Input, Output>,
  { path, placed, state }: Configuration<State, Input, Output>,
): Attempt<State, Input, Output> {
  const refusals = open.flatMap(({ operation, bit }): Refusal<Input, Output>[] => {
    const { input, outcome } = operation;
    const isPlaced = (placed & bit) !== 0n;
    // Those that can follow lead to other attempts.
    if (isPlaced || !isCompleted(operation) || model.step(state, input, outcome).length > 0) return [];
    return [{ operation, reason: explainRefusal(model, state, input, operation.outcome.output) }];
  });
  return { order: orderOf(path), state, refusals };
}

function orderOf<State, Input, Output>(
  path: Placement<State, Input, Output> | undefined,
): EffectiveOperation<Input, Output>[] {
  const order: EffectiveOperation<Input, Output>[] = [];
  for (let at = path; at !== undefined; at = at.before) order.push(at.operation);
  return order.reverse();
}

function positive(option: string, value: number): number {
  if (!(value > 0)) throw new BalsaError("invalid-argument", `option ${option} is ${value}; it must be above 0`);
  return value;
}
