import type { Descriptions, Model } from "./model.js";

/** A deterministic system: a state, an operation, and what follows from them. */
export interface SequentialSpecification<State, Input, Output> {
  readonly name: string;
  initial(): State;
  /** What the operation makes of the state, and its answer. The state given is not changed. */
  apply(state: State, input: Input): readonly [State, Output];
  sameOutput(a: Output, b: Output): boolean;
  /** As in `Model`, and so the rest. */
  stateKey(state: State): string | number;
  keys?(input: Input): readonly string[] | undefined;
  isReadOnly?(input: Input): boolean;
  rulesOut?(state: State, input: Input, output: Output): boolean;
  readonly describe: Descriptions<State, Input, Output>;
}

export function sequentialModel<State, Input, Output>(
  specification: SequentialSpecification<State, Input, Output>,
): Model<State, Input, Output> {
  const { describe } = specification;
  return {
    ...specification,
    step(state, input, answer) {
      const [next, output] = specification.apply(state, input);
      return answer.kind === "unknown" || specification.sameOutput(output, answer.output) ? [next] : [];
    },
    explain(state, input, output) {
      const [, right] = specification.apply(state, input);
      return `with ${describe.state(state)} it answers ${describe.output(right, input)}, not ${describe.output(output, input)}`;
    },
  };
}
