import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
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

describe("a scenario that can't be carried out is refused, with its place", () => {
  const drawn = drawScenario("1", profiles.get("short") as Profile, keyValueWorkload);
  const { settings, network, disk } = drawn;
  test.each<[string, object, RegExp]>([
    ["no machines", { members: 0 }, /members should be a whole number from 1 to/],
    ["a field too many", { member: 3 }, /scenario's member should be left out/],
    ["a release that is none", { releases: ["next"] }, /releases should be a list, each one of previous,/],
    ["a misspelt setting", { settings: { ...settings, electionMS: 1 } }, /settings\.electionMS should be left out/],
    ["a setting that is missing", { settings: { ...settings, keepEntries: undefined } }, /settings\.keepEntries/],
    [
      "elections too soon",
      { settings: { ...settings, electionMs: 1, heartbeatMs: 1 } },
      /settings\.electionMs.* twice/,
    ],
    [
      "a chance above 1",
      { network: { ...network, tailChance: 2 } },
      /network\.tailChance should be a number from 0 to 1/,
    ],
    [
      "a range turned over",
      { disk: { ...disk, syncUs: [5, 1] } },
      /disk\.syncUs should be two .* the smaller one first/,
    ],
    ["nobody away", { truce: { away: "m1" } }, /truce\.away should be a list/],
    ["a truce of both kinds", { truce: { blocked: [], away: [] } }, /truce\.away should be left out/],
    ["sessions of no size", { sessions: {} }, /sessions\.clients/],
  ])("%s", (_what, parts, message) => {
    expect(() => parseScenario(JSON.stringify({ ...drawn, ...parts }))).toThrow(message);
  });
});

describe("a step that can't be carried out is refused, with its place", () => {
  const drawn = drawScenario("1", profiles.get("short") as Profile, keyValueWorkload);
  const fault = { kind: "kill", target: 0, forMs: 10 };
  const at = `steps\\[${drawn.steps.length}\\]`;
  test.each<[string, object | null, RegExp]>([
    ["a step that is none", null, new RegExp(`${at} should be an object`)],
    ["an unknown kind", { kind: "explode", atMs: 1 }, new RegExp(`${at}\\.kind`)],
    ["a time before the beginning", { kind: "fault", atMs: -1, fault }, new RegExp(`${at}\\.atMs`)],
    ["an unknown fault", { kind: "fault", atMs: 1, fault: { kind: "explode" } }, /fault\.kind should be one of crash/],
    ["a machine that is not there", { kind: "fault", atMs: 1, fault: { ...fault, target: 77 } }, /fault\.target/],
    ["a misspelt one", { kind: "fault", atMs: 1, fault: { ...fault, target: "ledaer" } }, /fault\.target/],
    ["a text for a number", { kind: "fault", atMs: 1, fault: { ...fault, forMs: "10" } }, /fault\.forMs/],
    [
      "a field too many",
      { kind: "fault", atMs: 1, fault: { ...fault, disk: "lost" } },
      /fault\.disk should be left out/,
    ],
    ["an unknown moment", { kind: "fault", atMs: 1, fault, on: { mark: "soon", delayUs: 0 } }, /on\.mark/],
    ["an operation of nobody", { kind: "operation", atMs: 1, client: 1, member: -1, input: {} }, /member/],
  ])("%s", (_what, step, message) => {
    const text = JSON.stringify({ ...drawn, steps: [...drawn.steps, step] });
    expect(() => parseScenario(text)).toThrow(message);
  });

  test("what every profile draws is none of those", () => {
    for (const profile of profiles.values()) {
      for (let seed = 0; seed < 20; seed += 1) {
        const scenario = drawScenario(String(seed), profile, keyValueWorkload);
        expect(parseScenario(formatScenario(scenario))).toEqual(JSON.parse(JSON.stringify(scenario)));
      }
    }
  });
});

test.each(["", "[]", "null", '{"format":2}', '{"format":1,"seed":1}'])("%s is no scenario", (text) => {
  expect(() => parseScenario(text)).toThrow(/scenario/);
});
