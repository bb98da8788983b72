import { BalsaError, invariant } from "../core/index.js";
import { type Configuration, ConfigurationSet, type Placement } from "./configuration.js";
import { DeadEnds } from "./dead-ends.js";
import type { Model } from "./model.js";
import type { EffectiveOperation } from "./operation.js";
import type { Candidate, Completion, Schedule } from "./schedule.js";

/**
 * What a search tries first. `deepest`: what it reached last. `fewest-guesses`: what takes the fewest operations of
 * unknown outcome since a completion was last passed; of equal ones what it reached last.
 */
export type SearchOrder = "deepest" | "fewest-guesses";

export type SearchResult<State, Input, Output> =
  | { readonly kind: "found"; readonly path: Placement<State, Input, Output> | undefined }
  /** Every order was tried; none gets past this completion. */
  | {
      readonly kind: "exhausted";
      readonly completion: Completion<Input, Output>;
      readonly deadEnds: readonly Configuration<State, Input, Output>[];
    }
  /** Neither yet: it took the steps that it was to take. */
  | { readonly kind: "unfinished" };

/** A configuration whose successors are being tried. */
interface Frame<State, Input, Output> {
  readonly from: Configuration<State, Input, Output>;
  readonly completion: Completion<Input, Output>;
  /** Where it came from, if by an operation of unknown outcome that nothing has made use of yet. */
  readonly without: Configuration<State, Input, Output> | undefined;
  /** Operations of unknown outcome that were placed since a completion was last passed. */
  readonly guesses: number;
  /** The open operations were tried, those of unknown outcome are next. */
  isGuessing: boolean;
  /** Counts through the completion's open operations, then through those of unknown outcome. */
  nextCandidate: number;
  candidate: Candidate<Input, Output> | undefined;
  /** What the candidate leads to, and how many of it were tried. */
  states: readonly State[];
  statesTried: number;
}

/**
 * Looks for an order of the operations that the model allows, just in time (Wing and Gong 1993; Lowe 2017). It passes from completion to completion; only when one is reached whose operation has not been placed, operations that
 * are under way are, until that one is among them. A read is placed as soon as the state allows it, with no alternative:
 * placing it changes nothing for the others. Configurations that were seen are not looked at again, so the search ends
 * after at most as many steps as there are configurations times operations under way, whatever it tries first.
 */
export class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #order: SearchOrder;
  readonly #schedule: Schedule<Input, Output>;
  readonly #seen: ConfigurationSet = new ConfigurationSet();
  readonly #deadEnds: DeadEnds<State, Input, Output> = new DeadEnds();
  /** Stacks, by the guesses that the next successors of their frames will have taken; all in one where these don't count. */
  readonly #frontier: Frame<State, Input, Output>[][] = [];
  readonly #start: Configuration<State, Input, Output>;
  #found: Configuration<State, Input, Output> | undefined;
  #steps = 0;

  constructor(model: Model<State, Input, Output>, schedule: Schedule<Input, Output>, order: SearchOrder) {
    this.#model = model;
    this.#schedule = schedule;
    this.#order = order;
    const state = model.initial();
    const stateId = this.#seen.stateId(model.stateKey(state));
    this.#start = this.#reach({ position: 0, placed: 0n, spent: 0n, state, stateId, path: undefined }, undefined, 0);
  }

  /** How often the model was asked. */
  get steps(): number {
    return this.#steps;
  }

  /** How many configurations it remembers. */
  get size(): number {
    return this.#seen.size;
  }

  /** How many completions it has passed on its furthest way. */
  get passed(): number {
    return Math.max(0, this.#deadEnds.position);
  }

  /** Goes on from where it stands, for so many steps or a few more, or until it would remember more than `sizeMax`. */
  run(steps: number, sizeMax: number): SearchResult<State, Input, Output> {
    const stepsMax = this.#steps + steps;
    for (;;) {
      if (this.#found !== undefined) return { kind: "found", path: this.#found.path };
      const frames = this.#frontier.find(({ length }) => length > 0);
      const frame = frames?.at(-1);
      if (frames === undefined || frame === undefined) return this.#exhausted();
      if (this.#steps >= stepsMax || this.#seen.size > sizeMax) return { kind: "unfinished" };
      const reached = this.#successor(frame);
      if (reached !== undefined) {
        const isGuess = reached.spent !== frame.from.spent;
        this.#reach(reached, isGuess ? frame.from : undefined, frame.guesses + (isGuess ? 1 : 0));
        continue;
      }
      frames.pop();
      if (frame.isGuessing || frame.completion.unknownCount === 0) continue;
      frame.isGuessing = true;
      this.#push(frame);
    }
  }

  /**
   * Places operations in this order, as far as the model allows it and so many steps go; the search goes on from there. For
   * one that goes deepest first and has not begun, and operations each of which is named once. Reads are passed over: they have their places.
   */
  follow(likelyOrder: readonly EffectiveOperation<Input, Output>[], steps: number): void {
    invariant(this.#order === "deepest", "search: an order is followed down one way");
    const unknown = new Map(this.#schedule.unknown.map((candidate, i) => [candidate.operation, { candidate, i }]));
    let at = this.#start;
    for (const operation of likelyOrder) {
      const completion = this.#schedule.completions[at.position];
      if (completion === undefined || this.#steps >= steps) return;
      const lost = unknown.get(operation);
      // Before it was invoked: no log can tell that.
      if (lost !== undefined && lost.i >= completion.unknownCount) return;
      const candidate = lost?.candidate ?? completion.open.find((open) => open.operation === operation);
      if (candidate === undefined || candidate.isReadOnly) continue;
      const [state] = this.#step(at.state, candidate);
      if (state === undefined) return;
      // Also from where it has been before: what timed out may have led back there.
      at = this.#reach(this.#after(at, candidate, state), undefined, 0);
    }
  }

  /** Settles what was reached, and notes it if it is new. */
  #reach(
    reached: Configuration<State, Input, Output>,
    without: Configuration<State, Input, Output> | undefined,
    guesses: number,
  ): Configuration<State, Input, Output> {
    const from = this.#settle(reached);
    const completion = this.#schedule.completions[from.position];
    if (completion === undefined) {
      this.#found = from;
      return from;
    }
    if (!this.#seen.add(from)) return from;
    this.#deadEnds.note(from);
    // Only of the next to complete: a counterexample is the first that has no place, so all before it must be passed.
    const { input, outcome } = completion.operation;
    if (this.#model.rulesOut?.(from.state, input, outcome.output) === true) return from;
    this.#push({
      from,
      completion,
      without: from.path === reached.path ? without : undefined,
      guesses: from.position === reached.position ? guesses : 0,
      isGuessing: false,
      nextCandidate: 0,
      candidate: undefined,
      states: [],
      statesTried: 0,
    });
    return from;
  }

  #push(frame: Frame<State, Input, Output>): void {
    const guesses = this.#order === "deepest" ? 0 : frame.guesses + (frame.isGuessing ? 1 : 0);
    while (this.#frontier.length <= guesses) this.#frontier.push([]);
    this.#frontier[guesses]?.push(frame);
  }

  /** Places the reads that the state allows and passes the completions of what is placed, as far as that goes. */
  #settle(from: Configuration<State, Input, Output>): Configuration<State, Input, Output> {
    const { spent, state, stateId } = from;
    let { position, placed, path } = from;
    let refused = 0n;
    for (;;) {
      const completion = this.#schedule.completions[position];
      if (completion === undefined) break;
      for (const candidate of completion.open) {
        if (!candidate.isReadOnly || ((placed | refused) & candidate.bit) !== 0n) continue;
        if (this.#reads(state, candidate)) {
          placed |= candidate.bit;
          path = place(path, candidate, state);
        } else refused |= candidate.bit;
      }
      if ((placed & completion.bit) === 0n) break;
      placed &= ~completion.bit;
      position += 1;
    }
    return { position, placed, spent, state, stateId, path };
  }

  /** The next configuration that one placement leads to. */
  #successor(frame: Frame<State, Input, Output>): Configuration<State, Input, Output> | undefined {
    while (frame.candidate === undefined || frame.statesTried === frame.states.length) {
      const candidate = this.#nextCandidate(frame);
      if (candidate === undefined) return undefined;
      frame.candidate = candidate;
      frame.states = this.#statesAfter(frame, candidate);
      frame.statesTried = 0;
    }
    const { from, candidate } = frame;
    const state = frame.states[frame.statesTried] as State;
    frame.statesTried += 1;
    return this.#after(from, candidate, state);
  }

  #after(
    from: Configuration<State, Input, Output>,
    candidate: Candidate<Input, Output>,
    state: State,
  ): Configuration<State, Input, Output> {
    const isUnknown = candidate.operation.outcome.kind === "unknown";
    return {
      position: from.position,
      placed: isUnknown ? from.placed : from.placed | candidate.bit,
      spent: isUnknown ? from.spent | candidate.bit : from.spent,
      state,
      stateId: this.#seen.stateId(this.#model.stateKey(state)),
      path: place(from.path, candidate, state),
    };
  }

  /**
   * What a candidate leads to. What it would also lead to had the operation of unknown outcome before it never happened
   * is left out: the search comes there without it, and is better off.
   */
  #statesAfter({ from, without }: Frame<State, Input, Output>, candidate: Candidate<Input, Output>): readonly State[] {
    const states = this.#step(from.state, candidate);
    if (without === undefined || states.length === 0) return states;
    const others = this.#step(without.state, candidate).map((state) => this.#model.stateKey(state));
    return states.filter((state) => !others.includes(this.#model.stateKey(state)));
  }

  /** The next to complete first, what may never have happened last, and of that the latest first. */
  #nextCandidate(frame: Frame<State, Input, Output>): Candidate<Input, Output> | undefined {
    const { open, unknownCount } = frame.completion;
    const { placed, spent } = frame.from;
    while (frame.nextCandidate < open.length) {
      const candidate = open[frame.nextCandidate++] as Candidate<Input, Output>;
      // Reads that could be placed are.
      if (!candidate.isReadOnly && (placed & candidate.bit) === 0n) return candidate;
    }
    while (frame.isGuessing && frame.nextCandidate < open.length + unknownCount) {
      const fromLast = frame.nextCandidate++ - open.length;
      const candidate = this.#schedule.unknown[unknownCount - 1 - fromLast] as Candidate<Input, Output>;
      if ((spent & candidate.bit) === 0n) return candidate;
    }
    return undefined;
  }

  #step(state: State, { operation }: Candidate<Input, Output>): readonly State[] {
    this.#steps += 1;
    return this.#model.step(state, operation.input, operation.outcome);
  }

  #reads(state: State, candidate: Candidate<Input, Output>): boolean {
    const states = this.#step(state, candidate);
    for (const next of states) {
      if (next === state || this.#model.stateKey(next) === this.#model.stateKey(state)) continue;
      const { name, describe } = this.#model;
      const operation = describe.input(candidate.operation.input);
      throw new BalsaError("invalid-argument", `model ${name}: ${operation} is read-only and changes the state`);
    }
    return states.length > 0;
  }

  #exhausted(): SearchResult<State, Input, Output> {
    const { position, configurations } = this.#deadEnds;
    const completion = this.#schedule.completions[position] as Completion<Input, Output>;
    return { kind: "exhausted", completion, deadEnds: configurations };
  }
}

function place<State, Input, Output>(
  before: Placement<State, Input, Output> | undefined,
  { operation }: Candidate<Input, Output>,
  state: State,
): Placement<State, Input, Output> {
  return { operation, state, before, length: (before?.length ?? 0) + 1 };
}
