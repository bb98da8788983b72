import { BalsaError } from "../core/index.js";
import { checkSteps, target } from "./check-steps.js";
import { MARKS } from "./coverage.js";
import {
  between,
  type ChecksOf,
  checkAllFields,
  count,
  duration,
  type Fields,
  fraction,
  isObject,
  list,
  listOf,
  machine,
  object,
  oneOf,
  positiveCount,
  range,
  text,
  twoMachines,
  wrong,
} from "./field-checks.js";
import { MACHINES_MAX } from "./limits.js";
import { RELEASES } from "./release.js";
import {
  type Absence,
  type BlockedWays,
  type DiskSettings,
  type MemberSettings,
  type NetworkSettings,
  SCENARIO_FORMAT,
  type Scenario,
} from "./scenario.js";
import type { SessionSettings } from "./session-settings.js";

/** A scenario as a file that people can read and change: a step a line. */
export function formatScenario(scenario: Scenario): string {
  const { steps, probes, ...rest } = scenario;
  const lines = (items: readonly unknown[]): string =>
    items.length === 0 ? "[]" : `[\n${items.map((item) => `    ${JSON.stringify(item)}`).join(",\n")}\n  ]`;
  const fields = Object.entries(rest).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return `{\n${fields.join("")}  "steps": ${lines(steps)},\n  "probes": ${lines(probes)}\n}\n`;
}

const SCENARIO: ChecksOf<Scenario> = {
  format: (value) => (value === SCENARIO_FORMAT ? undefined : String(SCENARIO_FORMAT)),
  seed: text,
  name: text,
  workload: text,
  members: between(1, MACHINES_MAX),
  "spares?": between(0, MACHINES_MAX),
  "releases?": listOf(oneOf(RELEASES)),
  settings: object,
  network: object,
  disk: object,
  "applyMs?": range,
  "truce?": object,
  "sessions?": object,
  durationMs: duration,
  steps: list,
  probes: list,
};

const SETTINGS: ChecksOf<MemberSettings> = {
  heartbeatMs: positiveCount,
  electionMs: positiveCount,
  snapshotLogEntries: positiveCount,
  keepEntries: count,
  "segmentBytes?": positiveCount,
  "appendBytesMax?": positiveCount,
  "inflightMessagesMax?": positiveCount,
  "committedBytesMax?": positiveCount,
};

const NETWORK: ChecksOf<NetworkSettings> = {
  delayUs: range,
  tailChance: fraction,
  tailUs: range,
  splitChance: fraction,
  joinChance: fraction,
  "pieceBytesMax?": positiveCount,
  resetChance: fraction,
  slowMembers: listOf(machine),
  slowByUs: count,
};

const DISK: ChecksOf<DiskSettings> = { writeUs: range, syncUs: range };

const SESSIONS: ChecksOf<SessionSettings> = {
  clients: count,
  timeoutsMs: listOf(positiveCount),
  attemptMs: positiveCount,
  lostAnswers: fraction,
  lateRequests: fraction,
  callsEach: positiveCount,
  sessionsMax: positiveCount,
  resultsMax: positiveCount,
};

const ABSENCE: ChecksOf<Absence> = { away: listOf(target), "bridge?": machine, "on?": oneOf(MARKS) };
const BLOCKED_WAYS: ChecksOf<BlockedWays> = { blocked: listOf(twoMachines) };

/**
 * All of it is looked at: what is misspelt, or no member could be opened with, would pass for a test of what was meant.
 * @throws BalsaError `invalid-argument`: not JSON, or not a scenario of this format; says where, and what should be there
 */
export function parseScenario(json: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new BalsaError("invalid-argument", `a scenario is JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isObject(value) || value["format"] !== SCENARIO_FORMAT) {
    throw new BalsaError("invalid-argument", `a scenario of format ${SCENARIO_FORMAT} says so in "format"`);
  }
  checkAllFields(value, SCENARIO, "");
  const { settings, network, disk, truce, sessions, steps } = value;
  checkSettings(settings as Fields);
  checkAllFields(network as Fields, NETWORK, "network.");
  checkAllFields(disk as Fields, DISK, "disk.");
  if (isObject(truce)) checkAllFields(truce, "blocked" in truce ? BLOCKED_WAYS : ABSENCE, "truce.");
  if (isObject(sessions)) checkAllFields(sessions, SESSIONS, "sessions.");
  checkSteps(steps as readonly unknown[]);
  return value as unknown as Scenario;
}

function checkSettings(settings: Fields): void {
  checkAllFields(settings, SETTINGS, "settings.");
  const { heartbeatMs, electionMs } = settings as unknown as MemberSettings;
  if (electionMs < 2 * heartbeatMs) throw wrong("settings.electionMs", "at least twice its heartbeatMs");
}
