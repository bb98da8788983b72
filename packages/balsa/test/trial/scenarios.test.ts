import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  drawScenario,
  formatScenario,
  keyValueWorkload,
  type Profile,
  parseScenario,
  profiles,
  runScenario,
} from "../../src/trial/index.js";

const folder = new URL("scenarios/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

test.each(files)("what was found once is not found again: %s", async (file) => {
  const scenario = parseScenario(readFileSync(new URL(file, folder), "utf8"));
  const { violation, faults } = await runScenario(scenario, keyValueWorkload);
  expect(violation).toBeUndefined();
  expect(Object.keys(faults).length).toBeGreaterThan(0);
});

test("a scenario is read from its file as it was written", () => {
  const scenario = drawScenario("1", profiles.get("short") as Profile, keyValueWorkload);
  expect(parseScenario(formatScenario(scenario))).toEqual(JSON.parse(JSON.stringify(scenario)));
});

test.each(["", "[]", "null", '{"format":2}', '{"format":1,"seed":1}'])("%s is no scenario", (text) => {
  expect(() => parseScenario(text)).toThrow(/scenario/);
});
