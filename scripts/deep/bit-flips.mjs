import { runTests } from "../vitest.mjs";

export const describe =
  "every bit of a 64 KiB log and of a snapshot flipped, every file cut everywhere, every pair of sectors mixed up";

/** However long it takes: some three minutes. */
export async function part() {
  process.env["BALSA_STRIDE"] = "1";
  return runTests(["--project", "unit", "packages/balsa/test/storage/bit-flips.test.ts"]);
}
