import fc from "fast-check";
import { test } from "vitest";
import { type Step, StorageTrial } from "./storage-trial.js";

const fraction = fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      from: fraction,
      count: fc.nat({ max: 12 }),
      bytes: fc.nat({ max: 200 }),
      newTerm: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("hard-state" as const), commit: fraction, vote: fc.nat({ max: 2 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("snapshot" as const, "snapshot-meanwhile" as const, "compact" as const),
      at: fraction,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "receive" as const,
        "reopen" as const,
        "idle" as const,
        "settle" as const,
        "pause" as const,
        "failed-sync" as const,
        "kill" as const,
        "power-loss" as const,
      ),
    }),
  },
);

test("F1 F2 F3 whatever is written, crashed and reopened in whatever order, a plain array would hold the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.constantFrom(512, 900, 4096, 65_536),
      fc.array(step, { maxLength: 60 }),
      fc.boolean(),
      (seed, segmentBytes, steps, isPaced) => new StorageTrial(seed, { segmentBytes, isPaced }).run(steps),
    ),
    { numRuns: 150 },
  );
});
