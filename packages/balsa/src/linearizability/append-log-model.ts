import { unreachable } from "../core/index.js";
import type { Model } from "./model.js";
import { sequentialModel } from "./sequential-model.js";

export type AppendLogInput =
  | { readonly kind: "append"; readonly value: string }
  /** All from a position on; the first position is 0. */
  | { readonly kind: "read"; readonly from: number };

export type AppendLogOutput =
  /** Where it stands; undefined: the system does not tell. */
  | { readonly kind: "appended"; readonly position: number | undefined }
  | { readonly kind: "values"; readonly values: readonly string[] };

/**
 * A log's last value, and with it all before it. Logs that are equal are the same object, so that a log of thousands is
 * extended, compared and remembered in one step.
 */
export interface AppendLogState {
  readonly length: number;
  readonly key: number;
  readonly value: string;
  readonly before: AppendLogState | undefined;
  readonly after: Map<string, AppendLogState>;
}

/** A log that only grows: what is appended stays where it is. Make one for each check: it remembers all logs it met. */
export function appendLogModel(): Model<AppendLogState, AppendLogInput, AppendLogOutput> {
  let keys = 0;
  const extend = (before: AppendLogState | undefined, value: string): AppendLogState => {
    const known = before?.after.get(value);
    if (known !== undefined) return known;
    const state = { length: (before?.length ?? -1) + 1, key: keys++, value, before, after: new Map() };
    before?.after.set(value, state);
    return state;
  };
  const empty = extend(undefined, "");
  return sequentialModel<AppendLogState, AppendLogInput, AppendLogOutput>({
    name: "append log",
    initial: () => empty,
    apply(state, input) {
      switch (input.kind) {
        case "append":
          return [extend(state, input.value), { kind: "appended", position: state.length }];
        case "read":
          return [state, { kind: "values", values: valuesFrom(state, input.from) }];
        default:
          throw unreachable(input satisfies never);
      }
    },
    sameOutput,
    stateKey: ({ key }) => key,
    isReadOnly: ({ kind }) => kind === "read",
    // A log only grows.
    rulesOut: (state, input, output) =>
      output.kind === "appended"
        ? output.position !== undefined && output.position < state.length
        : input.kind === "read" && output.values.length < state.length - input.from,
    describe: {
      input: (input) => (input.kind === "append" ? `append ${JSON.stringify(input.value)}` : `read from ${input.from}`),
      output: (output) =>
        output.kind === "appended" ? `at ${output.position ?? "some place"}` : JSON.stringify(output.values),
      state: (state) => JSON.stringify(valuesFrom(state, 0)),
    },
  });
}

function valuesFrom(state: AppendLogState, from: number): string[] {
  const values: string[] = [];
  let at = state;
  while (at.before !== undefined && at.length > from) {
    values.push(at.value);
    at = at.before;
  }
  return values.reverse();
}

function sameOutput(a: AppendLogOutput, b: AppendLogOutput): boolean {
  if (a.kind === "appended") {
    if (b.kind !== "appended") return false;
    return a.position === undefined || b.position === undefined || a.position === b.position;
  }
  return b.kind === "values" && a.values.length === b.values.length && a.values.every((v, i) => v === b.values[i]);
}
