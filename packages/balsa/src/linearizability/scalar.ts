/** A value that is compared as a whole. */
export type Scalar = string | number | boolean | null | undefined;

/** The same for two scalars exactly if they are the same. */
export function scalarKey(value: Scalar): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** NaN is itself, and 0 is −0. */
export function sameScalar(a: Scalar, b: Scalar): boolean {
  return a === b || (a !== a && b !== b);
}
