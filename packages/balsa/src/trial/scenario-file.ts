import { BalsaError } from "../core/index.js";
import { checkSteps } from "./check-steps.js";
import { MACHINES_MAX } from "./limits.js";
import { SCENARIO_FORMAT, type Scenario } from "./scenario.js";

/** A scenario as a file that people can read and change: a step a line. */
export function formatScenario(scenario: Scenario): string {
  const { steps, probes, ...rest } = scenario;
  const list = (items: readonly unknown[]): string =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`;
  const fields = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${fields.join("")}  "steps": ${list(steps)},\n  "probes": ${list(probes)}\n}\n`;
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= MACHINES_MAX;
}

/** @throws BalsaError `invalid-argument`: not JSON, or not a scenario of this format; says where, and what should be there */
export function parseScenario(text: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BalsaError("invalid-argument", `a scenario is JSON: ${(cause as Error).message}`, { cause });
  }
  const scenario = value as Partial<Scenario> | null;
  if (typeof scenario !== "object" || scenario === null || scenario.format !== SCENARIO_FORMAT) {
    throw new BalsaError("invalid-argument", `a scenario of format ${SCENARIO_FORMAT} says so in "format"`);
  }
  const { seed, workload, members, spares = 0, settings, network, disk, durationMs, steps, probes } = scenario;
  const isPart = (part: unknown): boolean => typeof part === "object" && part !== null;
  const parts: readonly (readonly [name: string, holds: boolean, expected: string])[] = [
    ["seed", typeof seed === "string", "a text"],
    ["workload", typeof workload === "string", "a text"],
    ["members", isWhole(members, 1), `a whole number from 1 to ${MACHINES_MAX}`],
    ["spares", isWhole(spares, 0), `a whole number from 0 to ${MACHINES_MAX}`],
    ["durationMs", typeof durationMs === "number" && durationMs >= 0, "a number from 0 on"],
    ["settings", isPart(settings), "an object"],
    ["network", isPart(network), "an object"],
    ["disk", isPart(disk), "an object"],
    ["steps", Array.isArray(steps), "a list"],
    ["probes", Array.isArray(probes), "a list"],
  ];
  const wrong = parts.find(([, holds]) => !holds);
  if (wrong !== undefined) {
    throw new BalsaError("invalid-argument", `a scenario's ${wrong[0]} should be ${wrong[2]}`);
  }
  checkSteps(steps as readonly unknown[]);
  return scenario as Scenario;
}
