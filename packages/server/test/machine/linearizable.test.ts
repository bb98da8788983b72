import { randomInt } from "node:crypto";
import { checkLinearizability, explainVerdict, sequentialModel } from "balsa/linearizability";
import { expect, test } from "vitest";
import { etcdSpecification } from "./etcd-model.js";
import { SimulatedServers } from "./simulated-servers.js";

/** How long to go on, s; `npm run deep` gives it more. One seed: BALSA_SEED. */
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 4);
const ONE_SEED = process.env["BALSA_SEED"];

const model = sequentialModel(etcdSpecification);

async function checkSeed(seed: string): Promise<{ readonly answered: number; readonly compactions: number }> {
  const servers = new SimulatedServers({ seed, members: seed.endsWith("5") ? 5 : 3, clients: 4, forMs: 8_000 });
  const history = await servers.run();
  const verdict = checkLinearizability(model, history, { likelyOrder: servers.commands.appliedOrder });
  expect(explainVerdict(model, verdict)).toMatch(/^linearizable/);
  expect((await servers.agreedSnapshot()).length).toBeGreaterThan(0);
  const answered = history.operations.filter(({ outcome }) => outcome.kind === "completed");
  const compactions = answered.filter(
    ({ input, outcome }) => input.kind === "compact" && outcome.kind === "completed" && outcome.output !== "compacted",
  );
  return { answered: answered.length, compactions: compactions.length };
}

test(
  `E3 F4 the server's key-value state through crashes and partitions is linearizable, seeds drawn afresh for ${SECONDS} s`,
  async () => {
    const total = { seeds: 0, answered: 0, compactions: 0 };
    const endMs = performance.now() + SECONDS * 1_000;
    do {
      const seed = ONE_SEED ?? String(randomInt(2 ** 40));
      try {
        const { answered, compactions } = await checkSeed(seed);
        total.seeds++;
        total.answered += answered;
        total.compactions += compactions;
      } catch (cause) {
        const command = `BALSA_SEED=${seed} npm test -- packages/server/test/machine/linearizable.test.ts`;
        throw new Error(`seed ${seed} fails; again: ${command}\n${cause instanceof Error ? cause.message : ""}`, {
          cause,
        });
      }
    } while (ONE_SEED === undefined && performance.now() < endMs);
    console.log(`${total.seeds} seeds, ${total.answered} requests answered, ${total.compactions} compactions`);
    expect(total.answered).toBeGreaterThan(50);
    expect(total.compactions).toBeGreaterThan(0);
  },
  (SECONDS + 60) * 1_000,
);

test("E3 reads that a member answers from what it happens to have are not, and the check finds that", async () => {
  for (let seed = 1; ; seed++) {
    expect(seed, "none of the histories is refused").toBeLessThan(10);
    const options = { seed: `local ${seed}`, members: 3, clients: 4, forMs: 8_000, reads: "local" } as const;
    const verdict = checkLinearizability(model, await new SimulatedServers(options).run(), { stepsMax: 30_000 });
    if (verdict.kind !== "not-linearizable") continue;
    expect(verdict.counterexample.operation.input.kind).toBe("range");
    break;
  }
});
