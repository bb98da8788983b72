import { BalsaError } from "../core/index.js";
import { SCENARIO_FORMAT, type Scenario } from "./scenario.js";

/** A scenario as a file that people can read and change: a step a line. */
export function formatScenario(scenario: Scenario): string {
  const { steps, probes, ...rest } = scenario;
  const list = (items: readonly unknown[]): string =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`;
  const fields = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${fields.join("")}  "steps": ${list(steps)},\n  "probes": ${list(probes)}\n}\n`;
}

/** @throws BalsaError `invalid-argument`: not JSON, or not a scenario of this format */
export function parseScenario(text: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BalsaError("invalid-argument", "a scenario is JSON", { cause });
  }
  const scenario = value as Partial<Scenario> | null;
  if (typeof scenario !== "object" || scenario === null || scenario.format !== SCENARIO_FORMAT) {
    throw new BalsaError("invalid-argument", `a scenario of format ${SCENARIO_FORMAT} says so in "format"`);
  }
  const { seed, workload, members, settings, network, disk, durationMs, steps, probes } = scenario;
  const isWhole =
    typeof seed === "string" &&
    typeof workload === "string" &&
    typeof members === "number" &&
    typeof durationMs === "number" &&
    [settings, network, disk].every((part) => typeof part === "object") &&
    Array.isArray(steps) &&
    Array.isArray(probes);
  if (!isWhole) throw new BalsaError("invalid-argument", "a scenario has a part that is missing or of another type");
  return scenario as Scenario;
}
