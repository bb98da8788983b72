import type { Configuration } from "./configuration.js";
import { ATTEMPTS_MAX } from "./limits.js";

/** How far a search came: the last completion that it could not pass, and in which states it stood before it. */
export class DeadEnds<State, Input, Output> {
  #position = -1;
  /** For each state the longest way to it. */
  readonly #byState = new Map<number, Configuration<State, Input, Output>>();

  /** No configuration got beyond it. −1: there was none. */
  get position(): number {
    return this.#position;
  }

  /** Those that placed most first. */
  get configurations(): readonly Configuration<State, Input, Output>[] {
    return [...this.#byState.values()].sort((a, b) => lengthOf(b) - lengthOf(a));
  }

  note(configuration: Configuration<State, Input, Output>): void {
    if (configuration.position < this.#position) return;
    if (configuration.position > this.#position) {
      this.#position = configuration.position;
      this.#byState.clear();
    }
    const known = this.#byState.get(configuration.stateId);
    if (known === undefined ? this.#byState.size < ATTEMPTS_MAX : lengthOf(configuration) > lengthOf(known)) {
      this.#byState.set(configuration.stateId, configuration);
    }
  }
}

function lengthOf(configuration: Configuration<unknown, unknown, unknown>): number {
  return configuration.path?.length ?? 0;
}
