import { DEEPEST_FIRST_STEPS, TURN_STEPS } from "./limits.js";
import type { Model } from "./model.js";
import type { EffectiveOperation } from "./operation.js";
import { scheduleOf } from "./schedule.js";
import { Search, type SearchResult } from "./search.js";

/** What a check may still spend. One budget for all its searches. */
export interface Budget {
  stepsLeft: number;
  readonly configurationsMax: number;
}

/** Which of its limits a check ran into. */
export type Limit = "steps" | "configurations";

export type Finding<State, Input, Output> =
  | Exclude<SearchResult<State, Input, Output>, { readonly kind: "unfinished" }>
  | { readonly kind: "limited"; readonly limit: Limit; readonly passed: number };

/**
 * Two searches of one history, in turns, until one of them is done: which order is the better one differs by orders of
 * magnitude, and nothing tells beforehand. Deepest first suits states that forget (a register): a guess too many is
 * overwritten soon. Where states remember (a count of all writes, as etcd's revision) a wrong guess can't be made good,
 * and deepest first would try every order of all that may yet happen before it took one back. Both together take at most
 * twice the steps of the better one, and the second is begun only where the first does not come through at once.
 */
export function searchInTurns<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly EffectiveOperation<Input, Output>[],
  budget: Budget,
  likelyOrder: readonly EffectiveOperation<Input, Output>[],
): Finding<State, Input, Output> {
  const schedule = scheduleOf(operations, (input) => model.isReadOnly?.(input) ?? false);
  const first = new Search(model, schedule, "deepest");
  first.follow(likelyOrder, budget.stepsLeft);
  budget.stepsLeft -= first.steps;
  const searches = [first];
  let turnSteps = schedule.unknown.length === 0 ? Number.POSITIVE_INFINITY : DEEPEST_FIRST_STEPS * operations.length;
  for (let turn = 0; ; turn++) {
    const search = searches[turn % searches.length] as Search<State, Input, Output>;
    const othersSize = searches.reduce((size, other) => size + (other === search ? 0 : other.size), 0);
    const stepsBefore = search.steps;
    const result = search.run(Math.min(turnSteps, budget.stepsLeft), budget.configurationsMax - othersSize);
    budget.stepsLeft -= search.steps - stepsBefore;
    if (result.kind !== "unfinished") return result;
    const passed = Math.max(...searches.map((one) => one.passed));
    if (budget.stepsLeft <= 0) return { kind: "limited", limit: "steps", passed };
    if (search.size + othersSize > budget.configurationsMax)
      return { kind: "limited", limit: "configurations", passed };
    if (searches.length === 1) searches.push(new Search(model, schedule, "fewest-guesses"));
    turnSteps = TURN_STEPS;
  }
}
