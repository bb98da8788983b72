import { unreachable } from "../core/index.js";
import type { Model } from "./model.js";
import { type Scalar, sameScalar, scalarKey } from "./scalar.js";
import { sequentialModel } from "./sequential-model.js";

export type RegisterInput<Value> =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly value: Value }
  | { readonly kind: "compare-and-set"; readonly expected: Value; readonly value: Value };

export type RegisterOutput<Value> =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "written" }
  /** Whether the value was the expected one, and so was replaced. */
  | { readonly kind: "compared"; readonly swapped: boolean };

/** One variable. */
export function registerModel<Value extends Scalar>(
  initial: Value,
): Model<Value, RegisterInput<Value>, RegisterOutput<Value>> {
  return sequentialModel<Value, RegisterInput<Value>, RegisterOutput<Value>>({
    name: "register",
    initial: () => initial,
    apply,
    sameOutput,
    stateKey: scalarKey,
    isReadOnly: ({ kind }) => kind === "read",
    describe: { input: describeInput, output: describeOutput, state: scalarKey },
  });
}

function apply<Value extends Scalar>(
  state: Value,
  input: RegisterInput<Value>,
): readonly [Value, RegisterOutput<Value>] {
  switch (input.kind) {
    case "read":
      return [state, { kind: "value", value: state }];
    case "write":
      return [input.value, { kind: "written" }];
    case "compare-and-set": {
      const swapped = sameScalar(state, input.expected);
      return [swapped ? input.value : state, { kind: "compared", swapped }];
    }
    default:
      throw unreachable(input satisfies never);
  }
}

function sameOutput<Value extends Scalar>(a: RegisterOutput<Value>, b: RegisterOutput<Value>): boolean {
  switch (a.kind) {
    case "value":
      return b.kind === "value" && sameScalar(a.value, b.value);
    case "written":
      return b.kind === "written";
    case "compared":
      return b.kind === "compared" && a.swapped === b.swapped;
    default:
      throw unreachable(a satisfies never);
  }
}

function describeInput<Value extends Scalar>(input: RegisterInput<Value>): string {
  switch (input.kind) {
    case "read":
      return "read";
    case "write":
      return `write ${scalarKey(input.value)}`;
    case "compare-and-set":
      return `set ${scalarKey(input.value)} if ${scalarKey(input.expected)}`;
    default:
      throw unreachable(input satisfies never);
  }
}

function describeOutput<Value extends Scalar>(output: RegisterOutput<Value>): string {
  switch (output.kind) {
    case "value":
      return scalarKey(output.value);
    case "written":
      return "written";
    case "compared":
      return output.swapped ? "set" : "not set";
    default:
      throw unreachable(output satisfies never);
  }
}
