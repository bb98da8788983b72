import { unreachable } from "../core/index.js";
import type { KeyValueInput, KeyValueOutput } from "./key-value-operation.js";

/** How operations on keys and values read. */
export function describeKeyValueInput(input: KeyValueInput): string {
  switch (input.kind) {
    case "get":
      return `get ${input.key}`;
    case "put":
      return `put ${input.key} = ${describeValue(input.value)}`;
    case "delete":
      return `delete ${input.key}`;
    case "compare-and-set":
      return `set ${input.key} = ${describeValue(input.value)} if ${describeValue(input.expected)}`;
    case "transaction": {
      const when = input.when.map(({ key, value }) => `${key} = ${describeValue(value)}`).join(" and ");
      const parts = input.success.map(describeKeyValueInput).join("; ");
      const others = input.failure.map(describeKeyValueInput).join("; ");
      return `${when === "" ? "" : `if ${when} `}{ ${parts} }${others === "" ? "" : ` else { ${others} }`}`;
    }
    case "scan":
      return `scan [${input.from}, ${input.to})`;
    default:
      throw unreachable(input satisfies never);
  }
}

export function describeKeyValueOutput(output: KeyValueOutput): string {
  switch (output.kind) {
    case "value":
      return describeValue(output.value);
    case "done":
      return "done";
    case "compared":
      return output.swapped ? "set" : "not set";
    case "transaction":
      return `${output.succeeded ? "held" : "did not hold"} [${output.results.map(describeKeyValueOutput).join(", ")}]`;
    case "entries":
      return describeEntries(output.entries);
    default:
      throw unreachable(output satisfies never);
  }
}

export function describeKeyValueState(state: ReadonlyMap<string, string>): string {
  return describeEntries([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function describeEntries(entries: readonly (readonly [string, string])[]): string {
  return entries.length === 0 ? "{}" : `{ ${entries.map(([k, v]) => `${k} = ${describeValue(v)}`).join(", ")} }`;
}

function describeValue(value: string | undefined): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
