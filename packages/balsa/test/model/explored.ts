import { BreadthFirst } from "../../src/model/breadth-first.js";
import type { Budgets, Configuration, Reductions } from "../../src/model/configuration.js";
import { CONFIGURATIONS } from "../../src/model/configurations.js";
import { Visited } from "../../src/model/visited.js";

/** A named configuration, with smaller bounds or fewer reductions. */
export function bounds(
  name: string,
  changes: Partial<Omit<Configuration, "budgets" | "reductions">> = {},
  budgets: Partial<Budgets> = {},
  reductions: Partial<Reductions> = {},
): Configuration {
  const found = CONFIGURATIONS.find((configuration) => configuration.name === name);
  if (found === undefined) throw new Error(`no configuration ${name}`);
  return {
    ...found,
    ...changes,
    budgets: { ...found.budgets, ...budgets },
    reductions: { ...found.reductions, ...reductions },
  };
}

/** Explores to the end, or until so many states are found. */
export function explored(configuration: Configuration, states = 300_000): { search: BreadthFirst; complete: boolean } {
  const search = new BreadthFirst(configuration, new Visited(Visited.memoryFor(states)));
  while (search.waitingWords > 0 && search.counterexample === undefined) {
    if (!search.expandLevel(() => search.states < states * 0.9)) return { search, complete: false };
    search.turn();
  }
  return { search, complete: search.counterexample === undefined };
}
