import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { keyValueWorkload, type Workload } from "balsa/trial";
import { ServerError } from "../server-error.js";
import { etcdWorkload } from "./etcd-workload.js";

/** A workload whose types don't matter to whoever only runs it. */
type AnyWorkload = Workload<never, never, never, never>;

/** What can be named on the command line. */
const builtIn: ReadonlyMap<string, AnyWorkload> = new Map(
  [keyValueWorkload, etcdWorkload].map((workload) => [workload.name, workload as unknown as AnyWorkload]),
);

export function isBuiltIn(name: string): boolean {
  return builtIn.has(name);
}

/** By name. */
export const workloadDescriptions: ReadonlyMap<string, string> = new Map([
  [keyValueWorkload.name, "texts under keys: gets, puts, deletes and compare-and-sets"],
  [etcdWorkload.name, "the server's key-value state behind its service: puts, ranges, transactions, compactions"],
]);

/**
 * A workload by its name, or the default export of a module by its path.
 * @throws ServerError `invalid-option`
 */
export async function loadWorkload(nameOrPath: string): Promise<Workload> {
  const known = builtIn.get(nameOrPath);
  if (known !== undefined) return known;
  const path = resolve(nameOrPath);
  if (!existsSync(path)) {
    const names = [...builtIn.keys()].join(", ");
    throw new ServerError("invalid-option", `--workload ${nameOrPath} is neither a file nor one of ${names}`);
  }
  const workload = (await load(path)).default;
  if (typeof workload !== "object" || workload === null || !("create" in workload) || !("model" in workload)) {
    throw new ServerError("invalid-option", `--workload ${nameOrPath} has no workload as its default export`);
  }
  return workload as Workload;
}

/** @throws ServerError `invalid-option`: it is TypeScript, which not every Node loads */
async function load(path: string): Promise<{ readonly default?: unknown }> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ERR_UNKNOWN_FILE_EXTENSION")) throw cause;
    throw new ServerError(
      "invalid-option",
      `--workload ${path}: Node ${process.versions.node} loads no such file; if it is TypeScript, compile it and name the .js, or use Node 22.18 or later`,
      cause,
    );
  }
}
