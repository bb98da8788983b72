import {
  drawScenario,
  formatScenario,
  type Profile,
  profiles,
  type RunReport,
  runScenario,
  type Workload,
} from "balsa/trial";
import { ServerError } from "../server-error.js";
import type { SeedResult, SeedTask } from "./seed-task.js";

/** @throws ServerError `invalid-option` */
export function profileOf(name: string): Profile {
  const profile = profiles.get(name);
  if (profile !== undefined) return profile;
  throw new ServerError("invalid-option", `there is no profile ${name}; there are: ${[...profiles.keys()].join(", ")}`);
}

/**
 * Names with commas between them; `all` stands for all.
 * @throws ServerError `invalid-option`
 */
export function profilesOf(names: string): readonly string[] {
  if (names === "all") return [...profiles.keys()];
  return [...new Set(names.split(",").map((name) => profileOf(name.trim()).name))];
}

/** Draws the seed's scenario and runs it, twice if asked to. */
export async function runSeed(task: SeedTask, workload: Workload): Promise<SeedResult> {
  const beganMs = performance.now();
  const scenario = drawScenario(task.seed, profileOf(task.profile), workload);
  if (task.twice) {
    const again = drawScenario(task.seed, profileOf(task.profile), workload);
    if (formatScenario(again) !== formatScenario(scenario)) {
      throw new Error("the same seed draws another scenario: all chance must come from the prng that draw() is given");
    }
  }
  const report: RunReport = await runScenario(scenario, workload);
  const secondHash = task.twice ? (await runScenario(scenario, workload)).traceHash : undefined;
  return { task, report, realMs: performance.now() - beganMs, secondHash };
}
