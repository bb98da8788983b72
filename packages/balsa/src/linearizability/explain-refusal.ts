import type { Model } from "./model.js";

/** Why, in this state, the operation can't be answered so. */
export function explainRefusal<State, Input, Output>(
  model: Model<State, Input, Output>,
  state: State,
  input: Input,
  output: Output,
): string {
  const { describe } = model;
  return (
    model.explain?.(state, input, output) ??
    `with ${describe.state(state)} it can't answer ${describe.output(output, input)}`
  );
}
