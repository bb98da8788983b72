import { Session } from "node:inspector/promises";
import { parseArgs } from "node:util";
import { simulate } from "./sim/default-load.mjs";
import { selfTimes } from "./sim/self-times.mjs";

const WARM_UP_MINUTES = 10;

/**
 * `npm run bench -- sim [--json] [--seconds N] [--profile] [--seed S]`: how much faster than real time a simulated
 * cluster of five members runs, by the processor's time of this one thread, and where that time goes.
 * @param {readonly string[]} flags
 */
export async function run(flags) {
  const { values } = parseArgs({
    args: [...flags],
    options: {
      json: { type: "boolean", default: false },
      profile: { type: "boolean", default: false },
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
    },
  });
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new RangeError("--seconds takes a number above 0");
  console.log(
    `five members, default timings, ten operations and one fault a simulated second; Node ${process.versions.node}`,
  );
  // The engine compiles and recompiles for as long as this: not to be measured.
  for (let minute = 0; minute < WARM_UP_MINUTES; minute++) await simulate(`${values.seed}/warm-up/${minute}`, 60);
  const profile = values.profile ? new Session() : undefined;
  profile?.connect();
  await profile?.post("Profiler.enable");
  await profile?.post("Profiler.start");
  const total = await measure(values.seed, seconds);
  if (profile !== undefined) printProfile((await profile.post("Profiler.stop")).profile);
  const figures = {
    simulatedPerCpuSecond: Math.round(total.simulatedSeconds / total.cpuSeconds),
    // Of one seed: what comes nearest to a machine that does nothing else.
    bestSimulatedPerCpuSecond: Math.round(total.best),
    eventsPerSimulatedSecond: Math.round(total.events / total.simulatedSeconds),
    microsecondsPerEvent: Math.round((total.cpuSeconds / total.events) * 1e8) / 100,
    operationsPerSimulatedSecond: Math.round((total.operations / total.simulatedSeconds) * 10) / 10,
    faultsPerSimulatedSecond: Math.round((total.faults / total.simulatedSeconds) * 10) / 10,
    seeds: total.seeds,
  };
  for (const [name, figure] of Object.entries(figures)) console.log(`${name.padEnd(30)}${String(figure).padStart(10)}`);
  if (values.json) console.log(JSON.stringify(figures));
  return 0;
}

/**
 * A simulated minute a seed, one seed after the other, for so long.
 * @param {string} seed @param {number} seconds
 */
async function measure(seed, seconds) {
  const total = { simulatedSeconds: 0, cpuSeconds: 0, best: 0, events: 0, operations: 0, faults: 0, seeds: 0 };
  while (total.cpuSeconds < seconds) {
    const before = process.cpuUsage();
    const { events, operations, faults } = await simulate(`${seed}/${total.seeds}`, 60);
    const { user, system } = process.cpuUsage(before);
    const cpuSeconds = (user + system) / 1e6;
    total.cpuSeconds += cpuSeconds;
    total.best = Math.max(total.best, 60 / cpuSeconds);
    total.simulatedSeconds += 60;
    total.events += events;
    total.operations += operations;
    total.faults += faults;
    total.seeds += 1;
  }
  return total;
}

/** @param {import("node:inspector").Profiler.Profile} profile */
function printProfile(profile) {
  for (const { name, share } of selfTimes(profile).slice(0, 40)) {
    console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
  }
}
