import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { LabsCluster, type LabsOptions } from "./labs-cluster.js";

/** How many seeds each scenario runs; `npm run deep -- --only labs` gives it more. One seed: BALSA_SEED. */
const SEEDS = Number(process.env["BALSA_LABS_SEEDS"] ?? 2);
const ONE_SEED = process.env["BALSA_SEED"];

/** A scenario of the labs, over seeds that are drawn afresh each time. */
export function scenario(name: string, options: LabsOptions, run: (cluster: LabsCluster) => Promise<void>): void {
  test(`${name} (${options.members} members)`, { timeout: 60_000 + SEEDS * 20_000 }, async () => {
    for (let i = 0; i < (ONE_SEED === undefined ? SEEDS : 1); i++) {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      const failure = await run(new LabsCluster(seed, options)).then(
        () => undefined,
        (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
      );
      const again = `BALSA_SEED=${seed} npm test -- packages/balsa/test/node/labs -t "${name}"`;
      expect(failure, `seed ${seed} fails; again: ${again}`).toBeUndefined();
    }
  });
}
