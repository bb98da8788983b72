import { BalsaError } from "../core/index.js";
import { MARKS } from "./coverage.js";
import type { FaultKind } from "./fault.js";
import { MACHINES_MAX } from "./limits.js";
import { RELEASES } from "./release.js";

type Fields = Readonly<Record<string, unknown>>;

/** What a field of a fault must be; gives what is wrong with it. */
type Check = (value: unknown) => string | undefined;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isFraction = (value: unknown): boolean => typeof value === "number" && value >= 0 && value <= 1;

const MACHINE = `the number of a machine, 0 to ${MACHINES_MAX - 1}`;
/** Also of one that is not there: a scenario that was shrunk may name machines that it has no more; nobody is hit then. */
const isMachine = (value: unknown): boolean => isCount(value) && value < MACHINES_MAX;
const number: Check = (value) => (isMachine(value) ? undefined : MACHINE);
const target: Check = (value) =>
  value === "leader" || value === "there" || isMachine(value) ? undefined : `"leader", "there", or ${MACHINE}`;
const count: Check = (value) => (isCount(value) ? undefined : "a whole number from 0 on");
const whole: Check = (value) => (Number.isSafeInteger(value) ? undefined : "a whole number");
const positive: Check = (value) => (typeof value === "number" && value > 0 ? undefined : "a number above 0");
const fraction: Check = (value) => (isFraction(value) ? undefined : "a number from 0 to 1");
const yesOrNo: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    names.includes(value as string) ? undefined : `one of ${names.join(", ")}`;
const listOf =
  (each: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return "a list";
    const expected = value.map((item: unknown) => each(item)).find((one) => one !== undefined);
    return expected === undefined ? undefined : `a list, each ${expected}`;
  };
const range: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(isCount) ? undefined : "two whole numbers from 0 on";
const way: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(isMachine) ? undefined : `two, each ${MACHINE}`;

const forMs = count;
const disk = oneOf(["drawn", "lost", "kept"]);
const release = { target, how: oneOf(["stop", "kill"]), "to?": oneOf(RELEASES), forMs };
const asked = { target, by: number };

/** Of each kind of fault its fields; with a question mark behind it one may be left out. */
const FAULTS: Readonly<Record<FaultKind, Readonly<Record<string, Check>>>> = {
  crash: { target, disk, forMs },
  "power-off": { target, disk, forMs },
  "crash-in-write": { target, calls: count, forMs },
  "crash-all": { disk, forMs },
  kill: { target, forMs },
  stop: { target, forMs },
  upgrade: release,
  downgrade: release,
  "sync-error": { target, forMs },
  rot: {
    target,
    where: oneOf(["log", "newest-batches", "snapshot", "sector", "lost-write", "misdirected-write"]),
    bits: count,
    seed: count,
    forMs,
  },
  pause: { target, forMs },
  "clock-rate": { target, rate: positive, forMs },
  "clock-jump": { target, byMs: whole },
  "slow-disk": { target, factor: positive, forMs },
  "full-disk": { target, freeBytes: count, forMs },
  isolate: { target, forMs },
  partition: { side: listOf(target), forMs },
  bridge: { bridge: number, side: listOf(number), forMs },
  topology: { blocked: listOf(way), forMs },
  "one-way": {
    target,
    to: (value) => (value === "all" || isMachine(value) ? undefined : `"all", or ${MACHINE}`),
    forMs,
  },
  stall: { target, to: number, forMs },
  reset: { target, to: number },
  sever: { target, to: number },
  "slow-link": { target, bytesPerMs: positive, lossChance: fraction, delayUs: range, forMs },
  wipe: { target, forMs },
  "add-member": { target, voter: yesOrNo },
  "remove-member": asked,
  promote: asked,
  demote: asked,
  "replace-member": { target, to: number, by: number },
  "transfer-leadership": { to: number, by: number },
};

/**
 * Whether each step can be carried out: one that says something else than what was meant would pass for a test of it.
 * @throws BalsaError `invalid-argument`: which step, which field, and what it should be
 */
export function checkSteps(steps: readonly unknown[]): void {
  for (const [at, step] of steps.entries()) checkStep(step, `steps[${at}]`);
}

function checkStep(step: unknown, where: string): void {
  if (!isObject(step)) throw wrong(where, "an object");
  const { kind, atMs } = step;
  if (kind !== "operation" && kind !== "fault") throw wrong(`${where}.kind`, '"operation" or "fault"');
  if (typeof atMs !== "number" || !(atMs >= 0)) throw wrong(`${where}.atMs`, "a number from 0 on");
  if (kind === "operation") {
    checkFields(step, { client: count, member: number }, where);
    return;
  }
  const { fault, on } = step;
  if (!isObject(fault)) throw wrong(`${where}.fault`, "an object");
  const fields = Object.entries(FAULTS).find(([name]) => name === fault["kind"])?.[1];
  if (fields === undefined) throw wrong(`${where}.fault.kind`, `one of ${Object.keys(FAULTS).join(", ")}`);
  checkFields(fault, fields, `${where}.fault`);
  for (const name of Object.keys(fault)) {
    if (name !== "kind" && !(name in fields) && !(`${name}?` in fields))
      throw wrong(`${where}.fault.${name}`, "left out");
  }
  if (on === undefined) return;
  if (!isObject(on)) throw wrong(`${where}.on`, "an object");
  checkFields(on, { mark: oneOf(MARKS), delayUs: count }, `${where}.on`);
}

function checkFields(of: Fields, fields: Readonly<Record<string, Check>>, where: string): void {
  for (const [key, check] of Object.entries(fields)) {
    const name = key.replace("?", "");
    if (of[name] === undefined && key.endsWith("?")) continue;
    const expected = check(of[name]);
    if (expected !== undefined) throw wrong(`${where}.${name}`, expected);
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(where: string, expected: string): BalsaError {
  return new BalsaError("invalid-argument", `a scenario's ${where} should be ${expected}`);
}
