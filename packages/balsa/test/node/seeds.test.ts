import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { storm } from "./storm.js";

/** How long to go on, s; `npm run deep` gives it more. One seed: BALSA_SEED. */
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 6);
const ONE_SEED = process.env["BALSA_SEED"];

test(
  `F1 D6 F4 storms of faults, drawn afresh each time, for ${SECONDS} s: safe while they last, well again after`,
  async () => {
    const seeds: string[] = [];
    let acknowledged = 0;
    const endMs = performance.now() + SECONDS * 1_000;
    do {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      seeds.push(seed);
      try {
        acknowledged += (await storm(seed)).acknowledged.size;
      } catch (cause) {
        const command = `BALSA_SEED=${seed} npm test -- packages/balsa/test/node/seeds.test.ts`;
        throw new Error(`seed ${seed} fails; again: ${command}\n${cause instanceof Error ? cause.message : ""}`, {
          cause,
        });
      }
    } while (ONE_SEED === undefined && performance.now() < endMs);
    console.log(`${seeds.length} seeds, ${seeds.length * 26} simulated seconds, ${acknowledged} commands acknowledged`);
    expect(acknowledged).toBeGreaterThan(0);
  },
  (SECONDS + 60) * 1_000,
);
