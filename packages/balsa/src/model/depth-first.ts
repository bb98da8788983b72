import type { Counterexample } from "./breadth-first.js";
import type { Configuration } from "./configuration.js";
import { PropertyViolation } from "./history.js";
import { actionsOf } from "./path.js";
import { Space } from "./space.js";
import { Successors } from "./successors.js";

/**
 * Depth first, and deeper from time to time: needs no frontier, only the way it is on and, for each state, the least
 * depth at which it was met. A state is expanded again where it is met at a lesser depth, so that each depth is searched
 * completely: the first counterexample is found at the depth at which the shortest one lies.
 */
export class DepthFirst {
  readonly space: Space;
  /** Distinct states met in the last search. */
  states = 0;
  /** What the last search was bound to. */
  depth = 0;
  counterexample: Counterexample | undefined;
  /** Whether the last search met all states there are. */
  complete = false;

  private readonly successors: Successors;
  /** By fingerprint: the least depth. */
  private met = new Map<string, number>();
  private readonly ordinals: number[] = [];

  constructor(configuration: Configuration) {
    this.space = new Space(configuration);
    this.successors = new Successors(this.space);
  }

  /** Searches to depth `from`, then `by` deeper each time, until all is seen, something is found, or time is up. */
  deepen(from: number, by: number, goOn: () => boolean): void {
    for (this.depth = from; goOn(); this.depth += by) {
      this.met = new Map();
      this.states = 0;
      this.complete = true;
      this.successors.begin();
      this.search(this.successors.child.slice(0, this.successors.childWords), 0, goOn);
      if (this.complete || this.counterexample !== undefined) return;
    }
    this.complete = false;
  }

  private search(state: Int32Array, depth: number, goOn: () => boolean): void {
    if (depth === this.depth) {
      this.complete = false;
      return;
    }
    if ((depth & 7) === 0 && !goOn()) return;
    for (const { ordinal, child } of this.unseen(state, depth + 1)) {
      this.ordinals.push(ordinal);
      this.search(child, depth + 1, goOn);
      this.ordinals.pop();
      if (this.counterexample !== undefined) return;
    }
  }

  /** The successors that were not met so early yet. */
  private unseen(
    state: Int32Array,
    depth: number,
  ): readonly { readonly ordinal: number; readonly child: Int32Array }[] {
    const { successors } = this;
    const found: { readonly ordinal: number; readonly child: Int32Array }[] = [];
    successors.expand(state, 0, () => {
      const { ordinal } = successors;
      const violation = successors.violation ?? this.violationOfState();
      if (violation !== undefined) {
        this.counterexample = { property: violation, actions: actionsOf(this.space, [...this.ordinals, ordinal]) };
        return true;
      }
      const key = `${successors.low}/${successors.high}`;
      const before = this.met.get(key);
      if (before !== undefined && before <= depth) return false;
      if (before === undefined) this.states++;
      this.met.set(key, depth);
      found.push({ ordinal, child: successors.child.slice(0, successors.childWords) });
      return false;
    });
    return this.counterexample === undefined ? found : [];
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
}
