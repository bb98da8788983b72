import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { FaultTrial } from "./fault-trial.js";

/** How long to go on, s. One seed: BALSA_SEED. */
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 3);
const ONE_SEED = process.env["BALSA_SEED"];
const LIVES = 8;

test(
  `F1 F4 calls of the file system that fail, one, some or all, in processes one after the other, for ${SECONDS} s`,
  async () => {
    const total = { lives: 0, refusedOpenings: 0, failures: 0, acknowledged: 0 };
    const endMs = performance.now() + SECONDS * 1_000;
    do {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      const trial = new FaultTrial(seed);
      try {
        await trial.run(LIVES);
      } catch (cause) {
        const command = `BALSA_SEED=${seed} npm test -- packages/balsa/test/storage/drawn-faults.test.ts`;
        throw new Error(`seed ${seed} fails; again: ${command}\n${cause instanceof Error ? cause.message : ""}`, {
          cause,
        });
      }
      total.lives += trial.tally.lives;
      total.refusedOpenings += trial.tally.refusedOpenings;
      total.failures += trial.tally.failures;
      total.acknowledged += trial.tally.acknowledged;
    } while (ONE_SEED === undefined && performance.now() < endMs);
    console.log(
      `${total.lives} processes, ${total.failures} of whose logs failed, ${total.refusedOpenings} could not open theirs; ` +
        `${total.acknowledged} writes acknowledged, none lost`,
    );
    expect(total.acknowledged).toBeGreaterThan(0);
  },
  (SECONDS + 30) * 1_000,
);
