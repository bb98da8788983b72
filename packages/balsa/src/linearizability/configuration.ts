import type { EffectiveOperation } from "./operation.js";

/** One operation of a partial linearization, and the way that led to it. */
export interface Placement<State, Input, Output> {
  readonly operation: EffectiveOperation<Input, Output>;
  /** After it. */
  readonly state: State;
  readonly before: Placement<State, Input, Output> | undefined;
  /** Of the whole way. */
  readonly length: number;
}

/** Where a search can stand. */
export interface Configuration<State, Input, Output> {
  /** The completion to be passed next; all earlier ones are passed. */
  readonly position: number;
  /** Bits of the operations that are placed and whose completion is still to come. */
  readonly placed: bigint;
  /** Bits of the operations of unknown outcome that are placed. */
  readonly spent: bigint;
  readonly state: State;
  /** Identifies the state within the search. */
  readonly stateId: number;
  readonly path: Placement<State, Input, Output> | undefined;
}

/**
 * The configurations that a search need not look at again. What led to a configuration does not matter for what can
 * follow (Lowe 2017), and of two that differ only in the operations of unknown outcome that they spent, whoever spent
 * fewer can do all that the other can: an operation that may never take effect need not be placed. That keeps writes
 * that timed out from doubling the search each.
 */
export class ConfigurationSet {
  /** The smallest sets of spent operations, by what else makes up a configuration. */
  readonly #spent = new Map<string, bigint[]>();
  readonly #stateIds = new Map<string | number, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The same number for the same key. */
  stateId(key: string | number): number {
    const known = this.#stateIds.get(key);
    if (known !== undefined) return known;
    const id = this.#stateIds.size;
    this.#stateIds.set(key, id);
    return id;
  }

  /** False: one that can do all that this can was added before. */
  add(configuration: Configuration<unknown, unknown, unknown>): boolean {
    const { position, placed, spent, stateId } = configuration;
    const key = `${position} ${stateId} ${placed}`;
    const known = this.#spent.get(key);
    if (known === undefined) {
      this.#spent.set(key, [spent]);
      this.#size += 1;
      return true;
    }
    let kept = 0;
    for (const other of known) {
      if ((other & ~spent) === 0n) return false;
      // Those that spent all that this did and more are dropped: this one speaks for them from now on.
      if ((spent & ~other) !== 0n) known[kept++] = other;
    }
    this.#size += kept + 1 - known.length;
    known.length = kept;
    known.push(spent);
    return true;
  }
}
