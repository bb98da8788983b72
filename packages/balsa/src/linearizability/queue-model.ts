import { unreachable } from "../core/index.js";
import type { Model } from "./model.js";
import { type Scalar, sameScalar, scalarKey } from "./scalar.js";
import { sequentialModel } from "./sequential-model.js";

export type QueueInput<Value> =
  | { readonly kind: "enqueue"; readonly value: Value }
  /** Takes the oldest away. */
  | { readonly kind: "dequeue" };

export type QueueOutput<Value> =
  | { readonly kind: "enqueued" }
  | { readonly kind: "dequeued"; readonly value: Value }
  /** There was nothing to take. */
  | { readonly kind: "empty" };

/** First in, first out. The state: oldest first. */
export function queueModel<Value extends Scalar>(): Model<readonly Value[], QueueInput<Value>, QueueOutput<Value>> {
  return sequentialModel<readonly Value[], QueueInput<Value>, QueueOutput<Value>>({
    name: "queue",
    initial: () => [],
    apply,
    sameOutput,
    stateKey: describeValues,
    describe: {
      input: (input) => (input.kind === "enqueue" ? `enqueue ${scalarKey(input.value)}` : "dequeue"),
      output: (output) => (output.kind === "dequeued" ? scalarKey(output.value) : output.kind),
      state: describeValues,
    },
  });
}

function apply<Value>(
  state: readonly Value[],
  input: QueueInput<Value>,
): readonly [readonly Value[], QueueOutput<Value>] {
  switch (input.kind) {
    case "enqueue":
      return [[...state, input.value], { kind: "enqueued" }];
    case "dequeue":
      return state.length === 0
        ? [state, { kind: "empty" }]
        : [state.slice(1), { kind: "dequeued", value: state[0] as Value }];
    default:
      throw unreachable(input satisfies never);
  }
}

function sameOutput<Value extends Scalar>(a: QueueOutput<Value>, b: QueueOutput<Value>): boolean {
  if (a.kind === "dequeued") return b.kind === "dequeued" && sameScalar(a.value, b.value);
  return a.kind === b.kind;
}

function describeValues(values: readonly Scalar[]): string {
  return `[${values.map(scalarKey).join(", ")}]`;
}
