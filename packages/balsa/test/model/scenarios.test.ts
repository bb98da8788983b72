import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Scenario } from "../../src/model/scenario.js";
import { describeActions, replay, shrunk, toScenario, Walk } from "../../src/model/scenario.js";
import { bounds } from "./explored.js";

const folder = fileURLToPath(new URL("scenarios", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".json"));

/** Each was a counterexample when the core, or a mutant of it, had the bug that its first line tells of. */
describe("scenarios that exploration has found", () => {
  it.each(files)("%s: all holds now", (file) => {
    const scenario = JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as Scenario;
    const { taken, violation } = replay(bounds(scenario.configuration), scenario.actions);
    expect(violation).toBeUndefined();
    expect(taken.length).toBeGreaterThan(0);
  });
});

describe("a scenario", () => {
  const configuration = bounds("elections", { maxTerm: 2 });
  const walk = new Walk(configuration);
  const taken = [
    walk.take(({ node, input }) => node === 1 && input.kind === "time-out")!,
    walk.take(({ node, input }) => node === 3 && input.kind === "time-out")!,
    walk.take(({ node, input }) => node === 2 && input.kind === "deliver" && input.message.from === 1)!,
    walk.take(({ node, input }) => node === 1 && input.kind === "deliver" && input.message.from === 2)!,
  ];

  it("is replayed as it was, from its JSON", () => {
    const json = JSON.parse(JSON.stringify(toScenario("", configuration.name, taken))) as Scenario;
    expect(replay(configuration, json.actions).taken).toEqual(taken);
    expect(walk.cells.map(({ node }) => node.role)).toEqual(["leader", "follower", "candidate"]);
  });

  it("reads as a story", () => {
    expect(describeActions(taken)).toEqual([
      "  1. node 1 times out",
      "  2. node 3 times out",
      "  3. node 2 receives vote 1→2 of term 2, lastIndex 1, lastTerm 1, transfer false",
      "  4. node 1 receives vote-response 2→1 of term 2, rejected false",
    ]);
  });

  it("is shrunk to what is needed; where nothing is violated nothing is left out", () => {
    const scenario = toScenario("nothing", configuration.name, taken);
    expect(shrunk(configuration, scenario)).toEqual(scenario);
  });
});
