import type { Model } from "../../src/linearizability/index.js";

export interface BagInput {
  /** Undefined: take one out, whichever. */
  readonly put: string | undefined;
}

/** A bag: what is taken out is any one of what is in it. Written against the interface, as a user would. */
export const bagModel: Model<readonly string[], BagInput, string | undefined> = {
  name: "bag",
  initial: () => [],
  step(state, { put }, answer) {
    if (put !== undefined) return [[...state, put].sort()];
    return state.flatMap((item, i) =>
      answer.kind === "unknown" || answer.output === item ? [state.toSpliced(i, 1)] : [],
    );
  },
  stateKey: (state) => JSON.stringify(state),
  describe: {
    input: ({ put }) => (put === undefined ? "take" : `put ${put}`),
    output: (output, { put }) => (put === undefined ? String(output) : "done"),
    state: (state) => `{${state.join(", ")}}`,
  },
};
