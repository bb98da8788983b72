import { MARKS } from "./coverage.js";
import type { FaultKind } from "./fault.js";
import {
  type Check,
  checkAllFields,
  checkFields,
  count,
  type FieldChecks,
  fraction,
  isObject,
  listOf,
  machine,
  machineOr,
  oneOf,
  positive,
  range,
  twoMachines,
  whole,
  wrong,
  yesOrNo,
} from "./field-checks.js";
import { RELEASES } from "./release.js";

export const target: Check = machineOr("leader", "there");

const forMs = count;
const disk = oneOf(["drawn", "lost", "kept"]);
const release = { target, how: oneOf(["stop", "kill"]), "to?": oneOf(RELEASES), forMs };
const asked = { target, by: machine };

/** Of each kind of fault its fields. */
const FAULTS: Readonly<Record<FaultKind, FieldChecks>> = {
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
  bridge: { bridge: machine, side: listOf(machine), forMs },
  topology: { blocked: listOf(twoMachines), forMs },
  "one-way": { target, to: machineOr("all"), forMs },
  stall: { target, to: machine, forMs },
  reset: { target, to: machine },
  sever: { target, to: machine },
  "slow-link": { target, bytesPerMs: positive, lossChance: fraction, delayUs: range, forMs },
  wipe: { target, forMs },
  "add-member": { target, voter: yesOrNo },
  "remove-member": asked,
  promote: asked,
  demote: asked,
  "replace-member": { target, to: machine, by: machine },
  "transfer-leadership": { to: machine, by: machine },
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
    checkFields(step, { client: count, member: machine }, `${where}.`);
    return;
  }
  const { fault, on } = step;
  if (!isObject(fault)) throw wrong(`${where}.fault`, "an object");
  const fields = Object.entries(FAULTS).find(([name]) => name === fault["kind"])?.[1];
  if (fields === undefined) throw wrong(`${where}.fault.kind`, `one of ${Object.keys(FAULTS).join(", ")}`);
  checkAllFields(fault, { kind: () => undefined, ...fields }, `${where}.fault.`);
  if (on === undefined) return;
  if (!isObject(on)) throw wrong(`${where}.on`, "an object");
  checkAllFields(on, { mark: oneOf(MARKS), delayUs: count }, `${where}.on.`);
}
