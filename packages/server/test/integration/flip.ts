import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";

/** Flips a bit in the middle of what is written of a stopped member's newest segment. */
export async function flipInTheMiddle(dataDir: string): Promise<void> {
  const log = join(dataDir, "log");
  const newest =
    (await readdir(log))
      .filter((name) => /^\d{16}\.log$/.test(name))
      .sort()
      .at(-1) ?? "";
  const path = join(log, newest);
  const bytes = await readFile(path);
  const middle = bytes.lastIndexOf("BTCH") >>> 1;
  expect(middle).toBeGreaterThan(1_000);
  bytes[middle] = (bytes[middle] as number) ^ 8;
  await writeFile(path, bytes);
}
