import type { Answer } from "./operation.js";

/** How a model's parts read. Plain text: pages escape it. */
export interface Descriptions<State, Input, Output> {
  input(input: Input): string;
  output(output: Output, input: Input): string;
  state(state: State): string;
}

/**
 * What a system is meant to be, were its operations done one at a time. States are values: `step` never changes one.
 * Most models are deterministic and easier to write as a `SequentialSpecification`.
 */
export interface Model<State, Input, Output> {
  readonly name: string;
  initial(): State;
  /**
   * The states that an operation can lead to from this state if it ends so. None: in this state it can't end so. For an
   * unknown answer: whatever any answer leads to.
   */
  step(state: State, input: Input, answer: Answer<Output>): readonly State[];
  /** The same for two states exactly if no sequence of operations can tell them apart. */
  stateKey(state: State): string | number;
  /**
   * The parts of the state that the operation reads or changes. Parts that no operation connects are checked apart from
   * each other, which makes all the difference to the time it takes: a system is linearizable exactly if each of its
   * objects is (Herlihy and Wing 1990, locality). Undefined: all of it.
   */
  keys?(input: Input): readonly string[] | undefined;
  /** True: it never changes any state. Saves most of a search; a model that lies here is found out and refused. */
  isReadOnly?(input: Input): boolean;
  /**
   * True: neither in this state nor in any that can ever follow can it end so. It saves going on from there, by far the
   * most where much timed out: a count of all writes that is above the answer's, a log that is longer than what was read.
   * To say so where it is not true makes right histories wrong.
   */
  rulesOut?(state: State, input: Input, output: Output): boolean;
  readonly describe: Descriptions<State, Input, Output>;
  /** Why it can't answer so in this state. */
  explain?(state: State, input: Input, output: Output): string;
}
