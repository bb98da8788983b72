import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ServerError } from "../server-error.js";
import { lineOf } from "./exit-code.js";

/** Of `balsa sim`, as they are on the command line. */
export interface SimFlags {
  readonly seed?: string;
  /** First and last. */
  readonly seeds?: readonly [number, number];
  readonly minutes?: number;
  /** One or more, with commas between them. */
  readonly profile: string;
  readonly workload: string;
  readonly scenario?: string;
  readonly trace?: string;
  readonly page?: string;
  /** First and last ms. */
  readonly pageRange?: readonly [number, number];
  readonly save?: string;
  readonly shrink?: string;
  /** At the first violation. */
  readonly stop: boolean;
  readonly workers?: number;
  readonly json: boolean;
}

/**
 * What has no meaning without something else that is not there, and what can't be written: told before anything is run.
 * @throws ServerError `invalid-option`
 */
export function checkTogether(flags: SimFlags): void {
  const { seed, scenario, trace, page, pageRange, save, shrink } = flags;
  for (const [flag, path] of Object.entries({ trace, page, save, shrink })) {
    if (path === undefined) continue;
    if (seed === undefined && scenario === undefined) {
      throw new ServerError("invalid-option", `--${flag} is of one run: say which with --seed or --scenario`);
    }
    checkWritable(flag, path);
  }
  if (pageRange !== undefined && page === undefined) {
    throw new ServerError("invalid-option", "--page-range says what is drawn on a page: give it one with --page");
  }
}

function checkWritable(flag: string, path: string): void {
  try {
    if (existsSync(path)) {
      accessSync(path, constants.W_OK);
      if (statSync(path).isDirectory()) throw new Error("it is a directory");
    } else accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw new ServerError("invalid-option", `--${flag} ${path} can't be written: ${lineOf(cause)}`, cause);
  }
}
