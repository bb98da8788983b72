import { unreachable } from "../core/index.js";
import { EXPLAINED_ATTEMPTS_MAX, EXPLAINED_OPERATIONS_MAX } from "./limits.js";
import type { Model } from "./model.js";
import { abridge, describeKeys, describeOperation } from "./operation-description.js";
import type { Counterexample, Verdict } from "./verdict.js";

/** A verdict in a few lines of text: the message of a test that failed. */
export function explainVerdict<State, Input, Output>(
  model: Model<State, Input, Output>,
  verdict: Verdict<State, Input, Output>,
): string {
  switch (verdict.kind) {
    case "linearizable":
      return `linearizable (${verdict.steps} steps)`;
    case "undecided": {
      const { keys, limit, passed, completed, steps } = verdict;
      const reached = `${passed} of ${completed} completed operations could be placed`;
      return `undecided: ${describeKeys(keys)} takes more ${limit} than allowed; after ${steps} steps ${reached}`;
    }
    case "not-linearizable":
      return explainCounterexample(model, verdict.counterexample);
    default:
      throw unreachable(verdict satisfies never);
  }
}

function explainCounterexample<State, Input, Output>(
  model: Model<State, Input, Output>,
  { keys, operation, prefix, attempts }: Counterexample<State, Input, Output>,
): string {
  const times = `[${operation.invokedAt}, ${operation.endedAt}]`;
  const lines = [
    `not linearizable: in ${describeKeys(keys)}, operation ${operation.id} of ${operation.client} has no place:`,
    `  ${describeOperation(model, operation)}   ${times}`,
    `${prefix.length} operations began before it was answered. The longest orders that are possible without it:`,
  ];
  for (const { order, state, refusals } of attempts.slice(0, EXPLAINED_ATTEMPTS_MAX)) {
    const shown = order.slice(-EXPLAINED_OPERATIONS_MAX);
    const left = order.length - shown.length;
    lines.push(left === 0 ? "- from the beginning" : `- after ${left} others`);
    for (const placed of shown) lines.push(`    ${placed.client}: ${describeOperation(model, placed)}`);
    lines.push(`  leads to ${abridge(model.describe.state(state))}; there`);
    for (const refusal of refusals) {
      lines.push(
        `    ${refusal.operation.client}: ${describeOperation(model, refusal.operation)} can't be: ${abridge(refusal.reason)}`,
      );
    }
  }
  return lines.join("\n");
}
