import type { Counterexample } from "./breadth-first.js";
import type { Budgets, Configuration } from "./configuration.js";
import { BUDGET_NAMES } from "./configuration.js";
import { PropertyViolation } from "./history.js";
import { actionsOf } from "./path.js";
import { Space } from "./space.js";
import { Successors } from "./successors.js";

/** The same group without the bounds: whatever may happen at all may happen again and again. */
export function beyond(configuration: Configuration): Configuration {
  const budgets: Record<string, number> = { ...configuration.budgets };
  for (const name of BUDGET_NAMES) {
    // Requests to read are told apart by their number.
    if (name !== "reads" && budgets[name] !== 0) budgets[name] = Number.POSITIVE_INFINITY;
  }
  const reductions = { ...configuration.reductions, symmetry: false };
  return { ...configuration, maxTerm: FAR_TERM, budgets: budgets as unknown as Budgets, reductions };
}

/** No walk gets there, and codes have 16 bits. */
const FAR_TERM = 10_000;

/** A way through the states that goes on anywhere: for what lies deeper than all states can be looked at. */
export class RandomWalk {
  readonly successors: Successors;
  /** The state that it has come to. */
  state: Int32Array = new Int32Array(0);
  counterexample: Counterexample | undefined;
  private ordinals: number[] = [];
  private seed: number;

  /** @param seed a positive integer; the same one makes the same walks */
  constructor(configuration: Configuration, seed: number) {
    this.successors = new Successors(new Space(configuration));
    // Small seeds that differ little must not begin alike.
    this.seed = Math.imul(seed, 0x9e3779b1) | 1;
    this.restart();
  }

  restart(): void {
    this.successors.begin();
    this.state = this.successors.child.slice(0, this.successors.childWords);
    this.ordinals = [];
  }

  /** @returns whether there was anywhere to go, and all properties hold there */
  step(): boolean {
    const { successors } = this;
    let chosen = -1;
    let violation: string | undefined;
    let next = this.state;
    successors.expand(this.state, 0, () => {
      if (chosen >= 0 && this.below(successors.ordinal + 1) !== 0) return false;
      chosen = successors.ordinal;
      violation = successors.violation ?? this.violationOfState();
      next = successors.child.slice(0, successors.childWords);
      return false;
    });
    if (chosen < 0) return false;
    this.ordinals.push(chosen);
    this.state = next;
    if (violation === undefined) return true;
    this.counterexample = { property: violation, actions: actionsOf(successors.space, this.ordinals) };
    return false;
  }

  private violationOfState(): string | undefined {
    try {
      this.successors.checkState();
      return undefined;
    } catch (error) {
      if (error instanceof PropertyViolation) return error.message;
      throw error;
    }
  }

  /** A random integer in [0, bound): xorshift, 32 bits. */
  below(bound: number): number {
    let x = this.seed;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.seed = x;
    return (x >>> 0) % bound;
  }
}

export interface Walks {
  readonly steps: number;
  readonly walks: number;
  readonly counterexample: Counterexample | undefined;
}

/** Walks of `stepsEach`, one after the other, for as long as `goOn` says so. */
export function walkAtRandom(
  configuration: Configuration,
  { seed, stepsEach, goOn }: { readonly seed: number; readonly stepsEach: number; readonly goOn: () => boolean },
): Walks {
  let steps = 0;
  let walks = 0;
  let walk = new RandomWalk(configuration, seed);
  for (; goOn(); walks++) {
    // What a walk comes across seldom comes again: its tables are let go before they fill the memory.
    if (walk.successors.space.cells.length > CELLS_MAX) walk = new RandomWalk(configuration, seed + walks);
    walk.restart();
    for (let i = 0; i < stepsEach && walk.step(); i++) steps++;
    if (walk.counterexample !== undefined) break;
  }
  return { steps, walks, counterexample: walk.counterexample };
}

const CELLS_MAX = 100_000;
