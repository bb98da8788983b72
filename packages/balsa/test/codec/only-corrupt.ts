import { expect } from "vitest";
import { BalsaError } from "../../src/core/index.js";

/** Runs a decoder on untrusted bytes: it may succeed or say "corrupt", and nothing else. Returns what it gave. */
export function onlyCorrupt<T>(decode: () => T): T | "corrupt" {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof BalsaError)) throw error;
    expect(error.code).toBe("corrupt");
    return "corrupt";
  }
}
