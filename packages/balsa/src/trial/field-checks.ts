import { BalsaError } from "../core/index.js";
import { MACHINES_MAX } from "./limits.js";

export type Fields = Readonly<Record<string, unknown>>;

/** What a value must be, told where it is not: of a scenario's field. */
export type Check = (value: unknown) => string | undefined;

/** Of an object its fields; one with a question mark behind its name may be left out. */
export type FieldChecks = Readonly<Record<string, Check>>;

/** All of a type's fields, so that one which is new is not forgotten. */
export type ChecksOf<Type> = {
  readonly [Key in keyof Type & string as undefined extends Type[Key] ? `${Key}?` : Key]-?: Check;
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const count: Check = (value) => (isCount(value) ? undefined : "a whole number from 0 on");
export const whole: Check = (value) => (Number.isSafeInteger(value) ? undefined : "a whole number");
export const between =
  (least: number, most: number): Check =>
  (value) =>
    isCount(value) && value >= least && value <= most ? undefined : `a whole number from ${least} to ${most}`;
export const positiveCount: Check = (value) => (isCount(value) && value > 0 ? undefined : "a whole number from 1 on");
export const positive: Check = (value) => (typeof value === "number" && value > 0 ? undefined : "a number above 0");
export const duration: Check = (value) =>
  typeof value === "number" && value >= 0 && Number.isFinite(value) ? undefined : "a number from 0 on";
export const fraction: Check = (value) =>
  typeof value === "number" && value >= 0 && value <= 1 ? undefined : "a number from 0 to 1";
export const yesOrNo: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
export const text: Check = (value) => (typeof value === "string" ? undefined : "a text");
export const object: Check = (value) => (isObject(value) ? undefined : "an object");
export const list: Check = (value) => (Array.isArray(value) ? undefined : "a list");
export const oneOf =
  (names: readonly string[]): Check =>
  (value) =>
    names.includes(value as string) ? undefined : `one of ${names.join(", ")}`;
export const listOf =
  (each: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return "a list";
    const expected = value.map((item: unknown) => each(item)).find((one) => one !== undefined);
    return expected === undefined ? undefined : `a list, each ${expected}`;
  };
/** At least, at most. */
export const range: Check = (value) => {
  const [least, most, ...more]: readonly unknown[] = Array.isArray(value) ? value : [];
  if (isCount(least) && isCount(most) && least <= most && more.length === 0) return undefined;
  return "two whole numbers from 0 on, the smaller one first";
};

const MACHINE = `the number of a machine, 0 to ${MACHINES_MAX - 1}`;
/** Also of one that is not there: a scenario that was shrunk may name machines that it has no more; nobody is hit then. */
const isMachine = (value: unknown): boolean => isCount(value) && value < MACHINES_MAX;
export const machine: Check = (value) => (isMachine(value) ? undefined : MACHINE);
export const machineOr =
  (...names: readonly string[]): Check =>
  (value) =>
    isMachine(value) || names.includes(value as string)
      ? undefined
      : `${names.map((name) => JSON.stringify(name)).join(", ")}, or ${MACHINE}`;
export const twoMachines: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(isMachine) ? undefined : `two, each ${MACHINE}`;

/** Others than these are left alone. @throws BalsaError `invalid-argument` */
export function checkFields(of: Fields, fields: FieldChecks, where: string): void {
  for (const [key, check] of Object.entries(fields)) {
    const name = key.replace("?", "");
    if (of[name] === undefined && key.endsWith("?")) continue;
    const expected = check(of[name]);
    if (expected !== undefined) throw wrong(`${where}${name}`, expected);
  }
}

/** There are no others: one that is misspelt would be without effect. @throws BalsaError `invalid-argument` */
export function checkAllFields(of: Fields, fields: FieldChecks, where: string): void {
  checkFields(of, fields, where);
  for (const name of Object.keys(of)) {
    if (!(name in fields) && !(`${name}?` in fields)) throw wrong(`${where}${name}`, "left out");
  }
}

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function wrong(where: string, expected: string): BalsaError {
  return new BalsaError("invalid-argument", `a scenario's ${where} should be ${expected}`);
}
