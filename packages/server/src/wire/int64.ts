import type Long from "long";

/** The nearest double: exact below 2^53, and beyond every number that a store can reach above it. */
export function toNumber(long: Long): number {
  return long.high === 0 ? long.low >>> 0 : long.toNumber();
}

/** All 64 bits, signed. */
export function toBigInt(long: Long): bigint {
  if (long.high === 0 && long.low === 0) return 0n;
  return (BigInt(long.high) << 32n) | BigInt(long.low >>> 0);
}
