import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { CrashExplorer, CrashTally } from "./crash-explorer.js";

/** How many at least; `npm run deep` asks for more, and for a time. One seed: BALSA_SEED. */
const STATES = Number(process.env["BALSA_STATES"] ?? 5_000);
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 0);
const ONE_SEED = process.env["BALSA_SEED"];

/** Write boundaries of one workload. */
const EFFECTS = 80;

test(
  `F1 whatever a crash leaves at any write boundary, nothing acknowledged is lost and nothing invented: ${STATES} states`,
  async () => {
    const tally = new CrashTally();
    const endMs = performance.now() + SECONDS * 1_000;
    do {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      const explorer = new CrashExplorer(seed);
      try {
        await explorer.run(EFFECTS);
      } catch (cause) {
        const command = `BALSA_SEED=${seed} npm test -- packages/balsa/test/storage/crash-states.test.ts`;
        throw new Error(`seed ${seed} fails; again: ${command}\n${cause instanceof Error ? cause.message : ""}`, {
          cause,
        });
      }
      tally.add(explorer.tally);
    } while (ONE_SEED === undefined && (tally.states < STATES || performance.now() < endMs));
    console.log(String(tally));
    expect(tally.distinct).toBeGreaterThan(0);
  },
  (SECONDS + 60) * 1_000 + STATES * 10,
);
