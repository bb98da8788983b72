import type { Configuration } from "./configuration.js";
import { GrowingArray } from "./growing-array.js";
import { PropertyViolation } from "./history.js";
import { actionsOf } from "./path.js";
import { Space } from "./space.js";
import type { Action } from "./successors.js";
import { Successors } from "./successors.js";
import type { Visited } from "./visited.js";

/** A state in which something does not hold, and how it came about. */
export interface Counterexample {
  readonly property: string;
  readonly actions: readonly Action[];
}

/**
 * All states within the bounds, level by level: a level is what can be reached in so many steps and not in fewer.
 * The first counterexample is thus as short as any.
 */
export class BreadthFirst {
  readonly space: Space;
  /** States that this search was the first to see. */
  states = 0;
  depth = 0;
  /** Steps taken, to states that were new or not. */
  transitions = 0;
  counterexample: Counterexample | undefined;

  private readonly successors: Successors;
  private visited: Visited;
  private level = new GrowingArray();
  private next = new GrowingArray();
  /** For each state: the one it came from, and which of its successors it is. */
  private readonly parents = new GrowingArray();
  private readonly ordinals = new GrowingArray();
  private at = 0;
  private parent = -1;

  constructor(configuration: Configuration, visited: Visited) {
    this.space = new Space(configuration);
    this.successors = new Successors(this.space);
    this.visited = visited;
    this.successors.begin();
    this.visited.add(this.successors.low, this.successors.high);
    this.take(-1);
    this.turn();
    this.depth = 0;
  }

  /** States of this level that are not expanded yet, in words: a measure of what is left. */
  get waitingWords(): number {
    return this.level.length - this.at;
  }

  /** From here on states are looked up there, where other searches note theirs too. */
  lookUpIn(visited: Visited): void {
    this.visited = visited;
  }

  /** Keeps every `count`-th state of the level, from the `first`: the others are for other threads. */
  share(first: number, count: number): void {
    const { level } = this;
    const mine = new GrowingArray();
    let i = 0;
    for (let at = 0; at < level.length; i++) {
      const words = 1 + this.successors.lengthAt(level.items, at + 1);
      if (i % count === first) copyWords(level, at, words, mine);
      at += words;
    }
    this.level = mine;
  }

  get levelStates(): number {
    let count = 0;
    for (let at = 0; at < this.level.length; count++) at += 1 + this.successors.lengthAt(this.level.items, at + 1);
    return count;
  }

  /**
   * Expands the level's states, for as long as `goOn` says so; it is asked every few thousand steps.
   * @returns whether the level is done
   */
  expandLevel(goOn: () => boolean): boolean {
    const { successors, level } = this;
    const visit = (): boolean => this.visitSuccessor();
    let count = 0;
    while (this.at < level.length) {
      if ((++count & 1023) === 0 && !goOn()) return false;
      const at = this.at + 1;
      this.at = at + successors.lengthAt(level.items, at);
      this.parent = level.items[at - 1] as number;
      successors.expand(level.items, at, visit);
      if (this.counterexample !== undefined) return true;
    }
    return true;
  }

  /** The next level's turn. */
  turn(): void {
    const done = this.level;
    this.level = this.next;
    this.next = done;
    this.next.length = 0;
    this.at = 0;
    this.depth++;
  }

  private visitSuccessor(): boolean {
    const { successors } = this;
    this.transitions++;
    if (successors.violation === undefined && !this.visited.add(successors.low, successors.high)) return false;
    try {
      if (successors.violation !== undefined) throw new PropertyViolation(successors.violation);
      successors.checkState();
    } catch (error) {
      if (!(error instanceof PropertyViolation)) throw error;
      const actions = this.pathTo(this.parent, successors.ordinal);
      this.counterexample = { property: error.message, actions };
      return true;
    }
    this.take(this.parent);
    return false;
  }

  /** The successor at hand is a new state. */
  private take(parent: number): void {
    const { successors, next } = this;
    const { child, childWords } = successors;
    next.reserve(childWords + 1);
    next.items[next.length] = this.states;
    const first = next.length + 1;
    const { items } = next;
    for (let i = 0; i < childWords; i++) items[first + i] = child[i] as number;
    next.length = first + childWords;
    this.parents.push(parent);
    this.ordinals.push(successors.ordinal);
    this.states++;
  }

  /** The way to a state, found by going it once more. */
  private pathTo(parent: number, lastOrdinal: number): readonly Action[] {
    const ordinals: number[] = [lastOrdinal];
    for (let state = parent; state > 0; state = this.parents.items[state] as number) {
      ordinals.unshift(this.ordinals.items[state] as number);
    }
    return actionsOf(this.space, ordinals);
  }

  /** What is in memory: bytes of the frontier and of the ways to all states; and how many parts states are made of. */
  memory(): SearchMemory {
    const { space } = this;
    return {
      frontierBytes: this.level.bytes + this.next.bytes,
      pathBytes: this.parents.bytes + this.ordinals.bytes,
      cells: space.cells.length,
      messages: space.messages.length,
      histories: space.histories.length,
      steps: space.stepCount,
    };
  }
}

export interface SearchMemory {
  readonly frontierBytes: number;
  readonly pathBytes: number;
  readonly cells: number;
  readonly messages: number;
  readonly histories: number;
  /** Distinct steps of single nodes: how often the core was run. */
  readonly steps: number;
}

function copyWords(from: GrowingArray, at: number, words: number, to: GrowingArray): void {
  to.reserve(words);
  to.items.set(from.items.subarray(at, at + words), to.length);
  to.length += words;
}
