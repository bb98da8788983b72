import { unreachable } from "../core/index.js";
import { describeKeyValueInput, describeKeyValueOutput, describeKeyValueState } from "./key-value-description.js";
import type { KeyValueAccess, KeyValueInput, KeyValueOutput, KeyValueResult } from "./key-value-operation.js";
import type { Model } from "./model.js";
import { sequentialModel } from "./sequential-model.js";

/** Keys and their values; a key without a value is not in it. */
export type KeyValueState = ReadonlyMap<string, string>;

/** A store of texts under keys, with transactions over several of them. */
export function keyValueModel(
  initial: Iterable<readonly [string, string]> = [],
): Model<KeyValueState, KeyValueInput, KeyValueOutput> {
  const first: KeyValueState = new Map(initial);
  return sequentialModel<KeyValueState, KeyValueInput, KeyValueOutput>({
    name: "key-value",
    initial: () => first,
    apply,
    sameOutput,
    stateKey: (state) => JSON.stringify(inOrder(state)),
    keys,
    isReadOnly,
    describe: { input: describeKeyValueInput, output: describeKeyValueOutput, state: describeKeyValueState },
  });
}

function apply(state: KeyValueState, input: KeyValueInput): readonly [KeyValueState, KeyValueOutput] {
  switch (input.kind) {
    case "get":
    case "put":
    case "delete":
      return access(state, input);
    case "compare-and-set": {
      const swapped = state.get(input.key) === input.expected;
      return [swapped ? assign(state, input.key, input.value) : state, { kind: "compared", swapped }];
    }
    case "transaction": {
      const succeeded = input.when.every(({ key, value }) => state.get(key) === value);
      const results: KeyValueResult[] = [];
      let next = state;
      for (const part of succeeded ? input.success : input.failure) {
        const [after, result] = access(next, part);
        next = after;
        results.push(result);
      }
      return [next, { kind: "transaction", succeeded, results }];
    }
    case "scan":
      return [
        state,
        { kind: "entries", entries: inOrder(state).filter(([key]) => key >= input.from && key < input.to) },
      ];
    default:
      throw unreachable(input satisfies never);
  }
}

function access(state: KeyValueState, input: KeyValueAccess): readonly [KeyValueState, KeyValueResult] {
  switch (input.kind) {
    case "get":
      return [state, { kind: "value", value: state.get(input.key) }];
    case "put":
      return [assign(state, input.key, input.value), { kind: "done" }];
    case "delete":
      return [assign(state, input.key, undefined), { kind: "done" }];
    default:
      throw unreachable(input satisfies never);
  }
}

function assign(state: KeyValueState, key: string, value: string | undefined): KeyValueState {
  if (state.get(key) === value) return state;
  const next = new Map(state);
  if (value === undefined) next.delete(key);
  else next.set(key, value);
  return next;
}

function sameOutput(a: KeyValueOutput, b: KeyValueOutput): boolean {
  switch (a.kind) {
    case "value":
      return b.kind === "value" && a.value === b.value;
    case "done":
      return b.kind === "done";
    case "compared":
      return b.kind === "compared" && a.swapped === b.swapped;
    case "transaction":
      return (
        b.kind === "transaction" &&
        a.succeeded === b.succeeded &&
        a.results.length === b.results.length &&
        a.results.every((result, i) => sameOutput(result, b.results[i] as KeyValueResult))
      );
    case "entries":
      return (
        b.kind === "entries" &&
        a.entries.length === b.entries.length &&
        a.entries.every(([key, value], i) => key === b.entries[i]?.[0] && value === b.entries[i]?.[1])
      );
    default:
      throw unreachable(a satisfies never);
  }
}

function keys(input: KeyValueInput): readonly string[] | undefined {
  switch (input.kind) {
    case "transaction":
      return [...input.when, ...input.success, ...input.failure].map(({ key }) => key);
    case "scan":
      return undefined;
    default:
      return [input.key];
  }
}

function isReadOnly(input: KeyValueInput): boolean {
  if (input.kind !== "transaction") return input.kind === "get" || input.kind === "scan";
  return [...input.success, ...input.failure].every(({ kind }) => kind === "get");
}

function inOrder(state: KeyValueState): [string, string][] {
  return [...state].sort(([a], [b]) => (a < b ? -1 : 1));
}
