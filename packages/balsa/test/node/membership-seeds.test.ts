import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { MembershipStorm, type StormTally } from "./membership-storm.js";

/** How long to go on, s; `npm run deep` gives it more. One seed: BALSA_SEED. */
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 6);
const ONE_SEED = process.env["BALSA_SEED"];

test(
  `E1 F1 members come, go, vote, stop voting and lose their disks among crashes and partitions, seeds drawn afresh for ${SECONDS} s: nothing acknowledged is lost`,
  async () => {
    const total: StormTally = { acknowledged: 0, changes: 0, refused: 0, joined: 0, removed: 0, wiped: 0 };
    let seeds = 0;
    const endMs = performance.now() + SECONDS * 1_000;
    do {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      seeds++;
      const storm = new MembershipStorm(seed);
      try {
        await storm.run();
      } catch (cause) {
        const command = `BALSA_SEED=${seed} npm test -- packages/balsa/test/node/membership-seeds.test.ts`;
        throw new Error(`seed ${seed} fails; again: ${command}\n${cause instanceof Error ? cause.message : ""}`, {
          cause,
        });
      }
      for (const kind of Object.keys(total) as (keyof StormTally)[]) total[kind] += storm.tally[kind];
    } while (ONE_SEED === undefined && performance.now() < endMs);
    console.log(`${seeds} seeds: ${JSON.stringify(total)}`);
    expect(total.acknowledged).toBeGreaterThan(0);
  },
  (SECONDS + 90) * 1_000,
);
