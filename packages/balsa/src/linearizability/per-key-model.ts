import { explainRefusal } from "./explain-refusal.js";
import type { Model } from "./model.js";

/** An operation on one of many things that are all alike. */
export interface Keyed<Input> {
  readonly key: string;
  readonly input: Input;
}

/** Many of the same: one `model` for each key. What concerns different keys is checked apart. */
export function perKeyModel<State, Input, Output>(
  model: Model<State, Input, Output>,
): Model<ReadonlyMap<string, State>, Keyed<Input>, Output> {
  type States = ReadonlyMap<string, State>;
  const untouched = model.stateKey(model.initial());
  const stateOf = (states: States, key: string): State =>
    states.has(key) ? (states.get(key) as State) : model.initial();
  /** A key whose state is the initial one is as good as none. */
  const touched = (states: States): [string, State][] =>
    [...states].filter(([, state]) => model.stateKey(state) !== untouched).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: `${model.name} per key`,
    initial: () => new Map(),
    step: (states, { key, input }, answer) =>
      model.step(stateOf(states, key), input, answer).map((next) => new Map(states).set(key, next)),
    stateKey: (states) => JSON.stringify(touched(states).map(([key, state]) => [key, model.stateKey(state)])),
    keys: ({ key }) => [key],
    isReadOnly: ({ input }) => model.isReadOnly?.(input) ?? false,
    rulesOut: (states, { key, input }, output) => model.rulesOut?.(stateOf(states, key), input, output) ?? false,
    describe: {
      input: ({ key, input }) => `${key}: ${model.describe.input(input)}`,
      output: (output, { input }) => model.describe.output(output, input),
      state(states) {
        const texts = touched(states).map(([key, state]) => `${key}: ${model.describe.state(state)}`);
        return texts.length === 0 ? "everything as it was at first" : texts.join(", ");
      },
    },
    explain: (states, { key, input }, output) => explainRefusal(model, stateOf(states, key), input, output),
  };
}
