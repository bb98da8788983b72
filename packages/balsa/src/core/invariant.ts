import { BalsaError } from "./balsa-error.js";

/**
 * Cheap and always on. `message` is a constant: building a string costs even when the assertion holds.
 * @throws BalsaError `invariant`; never caught and carried on with.
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BalsaError("invariant", message);
}

/** For the default branch of an exhaustive switch: `throw unreachable(x satisfies never)`. */
export function unreachable(value: never): BalsaError {
  return new BalsaError("invariant", `an impossible case: ${String(value)}`);
}
