import { unreachable } from "../core/index.js";
import { DESCRIPTION_LENGTH_MAX } from "./limits.js";
import type { Model } from "./model.js";
import type { Operation } from "./operation.js";

/** An operation's call and its answer, as its model tells them. */
export function describeOperation<State, Input, Output>(
  model: Model<State, Input, Output>,
  { input, outcome }: Operation<Input, Output>,
): string {
  const call = abridge(model.describe.input(input));
  switch (outcome.kind) {
    case "completed":
      return `${call} → ${abridge(model.describe.output(outcome.output, input))}`;
    case "failed":
      return `${call} → failed, without effect`;
    case "unknown":
      return `${call} → unknown`;
    default:
      throw unreachable(outcome satisfies never);
  }
}

/** A text of bounded length. */
export function abridge(text: string): string {
  return text.length <= DESCRIPTION_LENGTH_MAX ? text : `${text.slice(0, DESCRIPTION_LENGTH_MAX)}…`;
}

/** The part of a history that is talked about. */
export function describeKeys(keys: readonly string[] | undefined): string {
  if (keys === undefined || keys.length === 0) return "the history";
  return `the history of ${abridge(keys.join(", "))}`;
}
