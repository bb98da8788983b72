import type { Model, Operation } from "../../src/linearizability/index.js";

/** The operations without some, for every choice of those that may be missing. */
function* choices<Item>(items: readonly Item[], mayBeMissing: (item: Item) => boolean): Generator<readonly Item[]> {
  const [first, ...others] = items;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const rest of choices(others, mayBeMissing)) {
    yield [first, ...rest];
    if (mayBeMissing(first)) yield rest;
  }
}

function* permutations<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  if (items.length === 0) yield [];
  for (const [i, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [item, ...rest];
  }
}

/** Whether no operation stands behind one that began only after its end. By times, not by ranks. */
function keepsRealTime(order: readonly Operation<unknown, unknown>[]): boolean {
  return order.every(({ outcome, endedAt }, i) => {
    if (outcome.kind !== "completed") return true;
    return order.slice(0, i).every(({ invokedAt }) => invokedAt <= endedAt!);
  });
}

/** Whether the model allows these operations in this order. */
export function isPossible<State, Input, Output>(
  model: Model<State, Input, Output>,
  order: readonly Operation<Input, Output>[],
): boolean {
  let states: readonly State[] = [model.initial()];
  for (const { input, outcome } of order) {
    if (outcome.kind === "failed") throw new Error("a failed operation in an order");
    states = states.flatMap((state) => model.step(state, input, outcome));
  }
  return states.length > 0;
}

/** Whether an order is a proof: real time kept, nothing answered left out, nothing twice, the model content. */
export function isLinearization<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  order: readonly Operation<Input, Output>[],
): boolean {
  const placed = new Set(order);
  return (
    placed.size === order.length &&
    order.every((operation) => operations.includes(operation)) &&
    operations.every((operation) => operation.outcome.kind !== "completed" || placed.has(operation)) &&
    order.every(({ endedRank }, i) => order.slice(0, i).every(({ invokedRank }) => invokedRank < endedRank)) &&
    isPossible(model, order)
  );
}

/** The definition, word for word: some order of the operations, those of unknown outcome there or not. */
export function isLinearizableByForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  mayBeMissing: (operation: Operation<Input, Output>) => boolean = ({ outcome }) => outcome.kind === "unknown",
): boolean {
  const effective = operations.filter(({ outcome }) => outcome.kind !== "failed");
  for (const chosen of choices(effective, mayBeMissing)) {
    for (const order of permutations(chosen)) if (keepsRealTime(order) && isPossible(model, order)) return true;
  }
  return false;
}
