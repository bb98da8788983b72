import { invariant } from "../core/index.js";
import { limitsOf, SPENT_WORDS, spend, spent } from "./actions.js";
import { BUDGET_NAMES } from "./configuration.js";
import { mixed } from "./fingerprint.js";
import type { GrowingArray } from "./growing-array.js";
import { PropertyViolation } from "./history.js";
import type { Input } from "./input.js";
import type { Space, Step } from "./space.js";
import { SystemProperties } from "./system-properties.js";

const DUPLICATES = BUDGET_NAMES.indexOf("duplicates");
const READS = BUDGET_NAMES.indexOf("reads");
const TIME = BUDGET_NAMES.indexOf("time");

/** One thing that happens in a system. */
export interface Action {
  /** The node; 0 = all of them, for a tick of clocks in lockstep. */
  readonly node: number;
  readonly input: Input;
  /** A delivery of which a copy stays on its way. */
  readonly duplicate?: boolean;
  /** A message that is lost instead of delivered. */
  readonly lost?: boolean;
}

/** Looks at a successor, which lies in the fields of Successors until it returns. True: no more of them. */
export type Visit = () => boolean;

/** Room for more messages than any walk leaves on their way. */
const CHILD_WORDS_MAX = 16_384;

/** A step that never is taken, for messages that are lost. */
const NO_STEP: Step = { cell: -1, sent: [], answers: [], violation: undefined, idle: false, elected: false };

/**
 * What can come of a state in one step. A state is a row of words: the cells of all nodes, the history, what is spent of
 * the budgets, the number of messages on their way, and these, sorted.
 */
export class Successors {
  readonly space: Space;
  readonly properties: SystemProperties;
  readonly nodes: number;
  /** Words before the messages. */
  readonly headWords: number;

  // ---- the successor at hand

  readonly child: Int32Array = new Int32Array(CHILD_WORDS_MAX);
  childWords = 0;
  /** The two lanes of its fingerprint, the same for all its renamings; never 0. */
  low = 0;
  high = 0;
  /** What does not hold of it, or of the step to it. */
  violation: string | undefined;
  /** The place of the node that changed. */
  changed = 0;
  /** How many successors came before it. */
  ordinal = 0;
  action: Action = { node: 0, input: { kind: "tick" } };
  /** Whether `action` is filled in. */
  tellActions = false;

  private readonly historyAt: number;
  private readonly spentAt: number;
  private readonly countAt: number;
  private readonly limits: readonly number[];
  private readonly base: Int32Array;
  private readonly sums: Int32Array;
  private words: Int32Array = new Int32Array(0);
  private at = 0;
  private visit: Visit = () => true;

  constructor(space: Space) {
    this.space = space;
    this.properties = new SystemProperties(space);
    this.nodes = space.configuration.nodes;
    this.historyAt = this.nodes;
    this.spentAt = this.nodes + 1;
    this.countAt = this.spentAt + SPENT_WORDS;
    this.headWords = this.countAt + 1;
    this.limits = limitsOf(space.configuration);
    this.base = new Int32Array(2 * space.permutations.length);
    this.sums = new Int32Array(2 * space.permutations.length);
  }

  /** The first state, into the fields, as a successor of nothing. */
  begin(): void {
    const { child, space } = this;
    child.fill(0, 0, this.headWords);
    space.firstCells().forEach((cell, i) => {
      child[i] = cell;
    });
    this.childWords = this.headWords;
    this.violation = undefined;
    const { led } = space.configuration;
    if (led !== undefined) this.elect(led);
    child.fill(0, this.spentAt, this.countAt);
    this.ordinal = 0;
    this.sumOf(child, 0);
    this.settleFingerprint();
  }

  /** A node campaigns, and then whatever is under way happens, until nothing is. */
  private elect(leader: number): void {
    const { space } = this;
    const told = this.tellActions;
    this.tellActions = true;
    const take = (isNext: (action: Action) => boolean): boolean => {
      const before = this.child.slice(0, this.childWords);
      let taken = false;
      this.expand(before, 0, () => (taken = isNext(this.action)));
      if (taken) return true;
      // What lies there is some other successor.
      this.child.set(before);
      this.childWords = before.length;
      return false;
    };
    // Whether or not it is time for that.
    const timeOut = space.inputs.findIndex(({ kind }) => kind === "time-out");
    this.startFrom(this.child.slice(0, this.childWords), 0, () => true);
    this.take(leader - 1, space.step(this.words[leader - 1] as number, timeOut), timeOut, -1, -1);
    const underWay = ["deliver", "ready", "write", "apply"];
    while (take(({ input, duplicate, lost }) => underWay.includes(input.kind) && duplicate !== true && lost !== true));
    this.tellActions = told;
    const cell = space.cells[this.child[leader - 1] as number];
    invariant(cell?.node.role === "leader", "whoever is to lead is elected");
    invariant(this.violation === undefined, "an election goes well");
  }

  /** How many words the state at `at` has. */
  lengthAt(words: Int32Array, at: number): number {
    return this.headWords + (words[at + this.countAt] as number);
  }

  /** The same state with nothing on its way. */
  withoutMessages(state: Int32Array): Int32Array {
    const head = state.slice(0, this.headWords);
    head[this.countAt] = 0;
    return head;
  }

  /** Visits all successors of the state that lies at `at`. */
  expand(words: Int32Array, at: number, visit: Visit): void {
    this.startFrom(words, at, visit);
    if (this.expandLocal()) return;
    if (this.expandMessages()) return;
    if (this.space.configuration.clock === "lockstep" && this.limits[TIME] !== 0) this.expandTick();
  }

  private startFrom(words: Int32Array, at: number, visit: Visit): void {
    this.words = words;
    this.at = at;
    this.visit = visit;
    this.ordinal = 0;
    this.base.set(this.sumOf(words, at));
  }

  private expandLocal(): boolean {
    const { space, words, at, limits } = this;
    for (let i = 0; i < this.nodes; i++) {
      const cell = words[at + i] as number;
      const possible = space.possibleInputs(cell);
      for (let p = 0; p < possible.length; p += 2) {
        const input = possible[p] as number;
        const budget = possible[p + 1] as number;
        if (budget >= 0 && !this.affords(input, budget)) continue;
        const step = space.step(cell, input);
        if (step.idle) continue;
        const counted = budget >= 0 && (limits[budget] as number) < 16 ? budget : -1;
        if (this.take(i, step, input, -1, counted)) return true;
      }
    }
    return false;
  }

  private affords(input: number, budget: number): boolean {
    const used = spent(this.words, this.at + this.spentAt, budget);
    if (used >= (this.limits[budget] as number)) return false;
    if (budget !== READS) return true;
    // Requests are told apart by their number, and asked in its order.
    const asked = this.space.inputs[input];
    return asked?.kind === "read" && asked.request === used + 1;
  }

  private expandMessages(): boolean {
    const { space, words, at } = this;
    const { lossIsDelay } = space.configuration.reductions;
    const duplicates = spent(words, at + this.spentAt, DUPLICATES) < (this.limits[DUPLICATES] as number);
    const count = words[at + this.countAt] as number;
    const first = at + this.headWords;
    for (let m = 0; m < count; m++) {
      const message = words[first + m] as number;
      if (m > 0 && words[first + m - 1] === message) continue;
      const receiver = space.receivers.items[message] as number;
      const input = space.delivery(message);
      // Loss: the message might as well stay on its way for ever. The same holds where it has no effect.
      if (!lossIsDelay && this.take(receiver, NO_STEP, input, m, -1)) return true;
      const step = space.step(words[at + receiver] as number, input);
      if (step.idle) continue;
      if (this.take(receiver, step, input, m, -1)) return true;
      if (duplicates && this.take(receiver, step, input, -1, DUPLICATES)) return true;
    }
    return false;
  }

  /**
   * One successor.
   * @param delivered place of the message that is taken off the network; −1 = none
   * @param budget that it is charged to; −1 = none
   */
  private take(node: number, step: Step, input: number, delivered: number, budget: number): boolean {
    const { child, words, at, space, sums } = this;
    const before = words[at + node] as number;
    const after = step === NO_STEP ? before : step.cell;
    for (let i = 0; i < this.countAt; i++) child[i] = words[at + i] as number;
    sums.set(this.base);
    child[node] = after;
    if (after !== before) {
      subtract(sums, space.cellPrints, before);
      add(sums, space.cellPrints, after);
    }
    if (budget >= 0) {
      this.addSpent(child, 0, -1);
      spend(child, this.spentAt, budget);
      this.addSpent(child, 0, 1);
    }
    this.violation = step.violation;
    this.takeMessages(node, after, step, delivered);
    this.changed = node;
    if (this.tellActions) this.tell(node, input, step, delivered, budget);
    if (this.violation === undefined && step !== NO_STEP) this.carryHistory(before, after, step, input);
    return this.show();
  }

  private tell(node: number, input: number, step: Step, delivered: number, budget: number): void {
    const lost = step === NO_STEP;
    const duplicate = budget === DUPLICATES && delivered < 0;
    this.action = {
      node: node + 1,
      input: this.space.inputOf(input),
      ...(lost ? { lost } : {}),
      ...(duplicate ? { duplicate } : {}),
    };
  }

  /** The bag after a step: what was delivered leaves it, what was sent enters, and what is dead to anyone goes. */
  private takeMessages(node: number, after: number, step: Step, delivered: number): void {
    const { child, words, at, space, sums } = this;
    const { dead } = space;
    const receivers = space.receivers.items;
    const first = at + this.headWords;
    const count = words[at + this.countAt] as number;
    let end = this.headWords;
    for (let m = 0; m < count; m++) {
      const message = words[first + m] as number;
      const dies = m !== delivered && receivers[message] === node && dead.isDead(message, after);
      if (dies) this.checkDead(message, after);
      if (dies || m === delivered) subtract(sums, space.messagePrints, message);
      else child[end++] = message;
    }
    for (const message of step.sent) {
      const receiver = child[receivers[message] as number] as number;
      if (dead.isDead(message, receiver)) {
        this.checkDead(message, receiver);
        continue;
      }
      add(sums, space.messagePrints, message);
      let place = end++;
      for (; place > this.headWords && (child[place - 1] as number) > message; place--) {
        child[place] = child[place - 1] as number;
      }
      child[place] = message;
    }
    invariant(end < CHILD_WORDS_MAX, "a state's messages can be counted");
    child[this.countAt] = end - this.headWords;
    this.childWords = end;
  }

  /** That dead messages are dead is argued from the core as it should be: whether it is so is seen to here. */
  private checkDead(message: number, receiver: number): void {
    if (this.space.dead.isCutOff(message)) return;
    const { idle } = this.space.step(receiver, this.space.delivery(message));
    if (!idle) this.violation = "a message of an old term, or an answer to what a node was before, has no effect";
  }

  private carryHistory(before: number, after: number, step: Step, input: number): void {
    const { child, historyAt, sums, space } = this;
    const history = child[historyAt] as number;
    const asked = space.inputs[input] ?? DELIVERY;
    try {
      const next = this.properties.historyAfter(history, before, after, step, asked, child, this.nodes);
      if (next === history) return;
      subtract(sums, space.historyPrints, history);
      add(sums, space.historyPrints, next);
      child[historyAt] = next;
    } catch (error) {
      if (!(error instanceof PropertyViolation)) throw error;
      this.violation = error.message;
    }
  }

  /** All clocks tick at once. */
  private expandTick(): void {
    const { space, words, at, child, sums } = this;
    if (spent(words, at + this.spentAt, TIME) >= (this.limits[TIME] as number)) return;
    const tick = space.inputs.findIndex(({ kind }) => kind === "tick");
    child.set(words.subarray(at, at + this.lengthAt(words, at)));
    this.childWords = this.lengthAt(words, at);
    this.violation = undefined;
    spend(child, this.spentAt, TIME);
    sums.set(this.sumOf(child, 0));
    for (let node = 0; node < this.nodes; node++) {
      const before = child[node] as number;
      const step = space.step(before, tick);
      if (step.violation !== undefined) this.violation = step.violation;
      child[node] = step.cell;
      subtract(sums, space.cellPrints, before);
      add(sums, space.cellPrints, step.cell);
      const sent = Int32Array.from(step.sent).sort();
      for (const message of sent) {
        add(sums, space.messagePrints, message);
        child[this.childWords++] = message;
      }
      this.carryHistory(before, step.cell, step, tick);
    }
    child.subarray(this.headWords, this.childWords).sort();
    child[this.countAt] = this.childWords - this.headWords;
    if (this.tellActions) this.action = { node: 0, input: { kind: "tick" } };
    this.changed = 0;
    this.show();
  }

  private show(): boolean {
    this.settleFingerprint();
    const stop = this.visit();
    this.ordinal++;
    return stop;
  }

  /** @throws PropertyViolation; for states that were not seen before: this takes longer than to know them. */
  checkState(): void {
    this.properties.checkLogs(this.child, 0, this.nodes, this.changed);
  }

  /** How many states are this one but for a renaming, itself included. */
  orbitSize(): number {
    const { sums } = this;
    const renamed = new Set<string>();
    for (let i = 0; i < sums.length; i += 2) renamed.add(`${sums[i]}/${sums[i + 1]}`);
    return renamed.size;
  }

  // ---- fingerprints

  /** The sum of the parts' fingerprints, for each renaming. */
  private sumOf(words: Int32Array, at: number): Int32Array {
    const { space, sums } = this;
    sums.fill(0);
    for (let i = 0; i < this.nodes; i++) add(sums, space.cellPrints, words[at + i] as number);
    add(sums, space.historyPrints, words[at + this.historyAt] as number);
    this.addSpent(words, at, 1);
    const end = at + this.lengthAt(words, at);
    for (let m = at + this.headWords; m < end; m++) add(sums, space.messagePrints, words[m] as number);
    return sums;
  }

  private addSpent(words: Int32Array, at: number, sign: number): void {
    const { sums } = this;
    const a = words[at + this.spentAt] as number;
    const b = words[at + this.spentAt + 1] as number;
    const low = mixed(a ^ mixed(b ^ 0x51ed270b));
    const high = mixed(b ^ mixed(a ^ 0x2f8a1c35));
    for (let i = 0; i < sums.length; i += 2) {
      sums[i] = (sums[i] as number) + sign * low;
      sums[i + 1] = (sums[i + 1] as number) + sign * high;
    }
  }

  /** Of all renamings of a state one has the least fingerprint: that is the fingerprint of them all. */
  private settleFingerprint(): void {
    const { sums } = this;
    let low = sums[0] as number;
    let high = sums[1] as number;
    for (let i = 2; i < sums.length; i += 2) {
      const a = sums[i] as number;
      if (a < low || (a === low && (sums[i + 1] as number) < high)) {
        low = a;
        high = sums[i + 1] as number;
      }
    }
    this.low = low === 0 ? 1 : low;
    this.high = high === 0 ? 1 : high;
  }
}

const DELIVERY: Input = { kind: "ready" };

function add(sums: Int32Array, prints: GrowingArray, part: number): void {
  const { items } = prints;
  const first = part * sums.length;
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (items[first + i] as number);
}

function subtract(sums: Int32Array, prints: GrowingArray, part: number): void {
  const { items } = prints;
  const first = part * sums.length;
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) - (items[first + i] as number);
}
