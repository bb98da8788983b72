/*
 * Every directed topology of five members: which of the twenty ways between them are open. Up to the members' names there are
 * 9,608. In each they go on for some seconds, with clients that write, whoever happens to lead; where a majority all reach
 * each other, or somebody reaches one, a leader must come about, take writes and stay (trial/topology-truce.ts); all rules hold,
 * and all is well once it is healed.
 */
import { randomInt } from "node:crypto";
import { describe, expect, test } from "vitest";
import { Prng } from "../../src/sim/index.js";
import {
  type BlockedWays,
  drawScenario,
  keyValueWorkload,
  profiles,
  runScenario,
  type Scenario,
} from "../../src/trial/index.js";
import { mutualReach } from "../../src/trial/topology-truce.js";
import { type Digraph, digraphs, permutations, waysOf } from "./digraphs.js";

/** How long to go on, s; the deep suite gives it more. A sweep of all takes five and a half minutes of one core. */
const SECONDS = Number(process.env["BALSA_SECONDS"] ?? 3);
/** One topology and seed: `GRAPH/SEED`. */
const ONE = process.env["BALSA_TOPOLOGY"];
const MEMBERS = 5;
/** By then there is a leader, and each has taken part: of members that have not nothing can be asked (trial/truce.ts). */
const BEGINS_MS = 3_500;
const LASTS_MS = 4_000;

/** Only so many ways are open. */
function scenarioOf(graph: Digraph, seed: string): Scenario & { readonly truce: BlockedWays } {
  const prng = new Prng(`${seed}/topology`);
  const names = prng.pick(permutations(MEMBERS));
  const open = new Set(waysOf(graph, MEMBERS).map(([from, to]) => `${names[from]} ${names[to]}`));
  const all = waysOf(2 ** (MEMBERS * MEMBERS) - 1, MEMBERS).filter(([from, to]) => from !== to);
  const blocked = all.filter(([from, to]) => !open.has(`${from} ${to}`));
  const calm = profiles.get("calm");
  if (calm === undefined) throw new Error("no profile without faults");
  const durationMs = BEGINS_MS + LASTS_MS;
  const drawn = drawScenario(seed, { ...calm, durationMs, biasChance: 0 }, keyValueWorkload);
  const fault = { kind: "topology", blocked, forMs: LASTS_MS } as const;
  const steps = [...drawn.steps, { kind: "fault", atMs: BEGINS_MS, fault } as const].toSorted(
    (a, b) => a.atMs - b.atMs,
  );
  return { ...drawn, name: `topology ${graph}`, steps, truce: { blocked } };
}

/** Whether three of the five all reach each other. */
function hasConnectedMajority(reach: readonly (readonly number[])[]): boolean {
  return reach.some((mine, a) => mine.some((b) => b > a && reach[b]?.some((c) => c > b && mine.includes(c))));
}

describe("directed topologies", () => {
  test.each([
    [3, 16],
    [4, 218],
  ])("of %i members there are %i", (size, count) => {
    expect(digraphs(size)).toHaveLength(count);
  });

  test("who reaches whom both ways", () => {
    expect(mutualReach(3, [])).toEqual([
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ]);
    // One way that is blocked is enough.
    expect(mutualReach(3, [[0, 1]])).toEqual([
      [0, 2],
      [1, 2],
      [0, 1, 2],
    ]);
  });

  test(
    `D4 D6 of five members, each once, from a random one on, for ${SECONDS} s: every rule kept, and whoever can be elected leads on`,
    async () => {
      const graphs = digraphs(MEMBERS);
      expect(graphs).toHaveLength(9_608);
      const [oneGraph, oneSeed] = ONE?.split("/") ?? [];
      const first = oneGraph === undefined ? randomInt(graphs.length) : graphs.indexOf(Number(oneGraph));
      const endMs = performance.now() + SECONDS * 1_000;
      let done = 0;
      let led = 0;
      let due = 0;
      let asked = 0;
      // Neighbours have nearly the same ways: in steps that reach each of them, and are prime to their number.
      for (; done < graphs.length && (done === 0 || (ONE === undefined && performance.now() < endMs)); done++) {
        const graph = graphs[(first + done * 1_009) % graphs.length] as Digraph;
        const seed = oneSeed ?? String(randomInt(2 ** 40));
        const scenario = scenarioOf(graph, seed);
        const { violation, coverage } = await runScenario(scenario, keyValueWorkload);
        const reach = mutualReach(MEMBERS, scenario.truce.blocked);
        if (reach.some(({ length }) => length * 2 > MEMBERS)) due++;
        asked += coverage["truces"] ?? 0;
        led += coverage["truces led"] ?? 0;
        const isLed = coverage["truces led"] === 1 || !hasConnectedMajority(reach);
        if (violation === undefined && isLed) continue;
        const again = `BALSA_TOPOLOGY=${graph}/${seed} npm test -- packages/balsa/test/trial/topologies.test.ts`;
        const what = violation === undefined ? "nobody was asked to lead" : `${violation.rule}: ${violation.detail}`;
        throw new Error(`${what}\nagain: ${again}`);
      }
      console.log(
        `${done} of ${graphs.length} topologies: in ${due} somebody reaches a majority both ways, in ${led} it could be elected, and led`,
      );
      // Nothing is left out without a word.
      expect(asked).toBe(due);
      expect(done).toBeGreaterThan(0);
    },
    SECONDS * 1_000 + 120_000,
  );
});
