import { ContractError } from "./contract-case.js";

export function expectTrue(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new ContractError(rule);
}

/** Equal as JSON, which is enough for what contracts compare: numbers, strings, and lists and records of them. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new ContractError(`${what}: expected ${e}, got ${a}`);
}

export function expectBytes(actual: Uint8Array, expected: readonly number[], what: string): void {
  expectEqual([...actual], expected, what);
}

/** The error that the promise rejects with, which must have the code. */
export async function expectRejection(promise: Promise<unknown>, code: string, what: string): Promise<Error> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    expectTrue(error instanceof Error && "code" in error, `${what}: rejects with an error that has a code`);
    expectEqual(error.code, code, what);
    return error;
  }
  throw new ContractError(`${what}: expected a rejection with ${code}, got ${JSON.stringify(value)}`);
}
