import type { Counterexample } from "./breadth-first.js";
import type { Cell } from "./cell.js";
import { lastIndexOf, wholeLog } from "./cell.js";
import type { Configuration } from "./configuration.js";
import type { Input } from "./input.js";
import { beyond, RandomWalk } from "./random-walk.js";
import type { Action } from "./successors.js";

/**
 * What a connected majority comes to, once nothing fails any more: a leader, whose new entry is committed, and known to
 * be by all of that majority.
 */
export const PROGRESS = "a connected majority comes to a leader and commits";

/** Rounds of a fair run; each lets every message arrive, and every timer that should fire. */
const ROUNDS_MAX = 60;
/** Steps of one round: messages beget messages, but not for ever. */
const STEPS_MAX = 2_000;

/**
 * Fair runs from states that random walks have come to, each with another majority of the nodes; the others are silent.
 * @returns the first run that comes to nothing; undefined = all came to an end
 */
export function checkLiveness(
  configuration: Configuration,
  { seed, stepsEach, goOn }: { readonly seed: number; readonly stepsEach: number; readonly goOn: () => boolean },
): { readonly runs: number; readonly counterexample: Counterexample | undefined } {
  const sampled = new RandomWalk(awake(beyond(configuration)), seed);
  let runs = 0;
  for (; goOn(); runs++) {
    sampled.restart();
    for (let i = sampled.below(stepsEach); i > 0; i--) sampled.step();
    if (sampled.counterexample !== undefined) return { runs, counterexample: sampled.counterexample };
    const majority = someMajority(configuration.nodes, (bound) => sampled.below(bound));
    const run = new FairRun(sampled, majority, sampled.below(2) === 0);
    if (!run.comesToAnEnd()) return { runs, counterexample: { property: PROGRESS, actions: run.actions } };
  }
  return { runs, counterexample: undefined };
}

/** With all that time brings: timers fire, leaders send heartbeats, somebody proposes. */
function awake(configuration: Configuration): Configuration {
  const always = Number.POSITIVE_INFINITY;
  const budgets = { ...configuration.budgets, heartbeats: always, proposals: always, timeouts: always, time: always };
  const { campaigners: _everybody, ...rest } = configuration;
  return { ...rest, budgets };
}

function someMajority(nodes: number, below: (bound: number) => number): readonly number[] {
  const ids = Array.from({ length: nodes }, (_, i) => i + 1);
  while (ids.length > Math.floor(nodes / 2) + 1) ids.splice(below(ids.length), 1);
  return ids;
}

class FairRun {
  readonly actions: Action[] = [];
  private readonly from: RandomWalk;
  private readonly majority: readonly number[];
  private state: Int32Array;
  /** The index of the entry that was proposed in this run, and the term of the leader who took it. */
  private proposed: { readonly index: number; readonly term: number } | undefined;

  /** @param forgetful whether all that is on its way is lost before things get better */
  constructor(from: RandomWalk, majority: readonly number[], forgetful: boolean) {
    this.from = from;
    this.majority = majority;
    this.state = forgetful ? from.successors.withoutMessages(from.state) : from.state;
    from.successors.tellActions = true;
  }

  comesToAnEnd(): boolean {
    let ended = false;
    for (let round = 0; round < ROUNDS_MAX && !ended; round++) {
      this.deliverAll();
      ended = this.isDone();
      if (!ended) this.passTime(round);
    }
    this.from.successors.tellActions = false;
    return ended;
  }

  /** All that is under way comes to its end. */
  private deliverAll(): void {
    const underWay = new Set<Input["kind"]>(["ready", "write", "apply"]);
    const isNext = ({ input, duplicate, lost }: Action): boolean => {
      if (duplicate === true || lost === true) return false;
      if (input.kind === "report") return input.outcome === "success";
      return underWay.has(input.kind) || (input.kind === "deliver" && this.majority.includes(input.message.from));
    };
    for (let i = 0; i < STEPS_MAX && this.take((action) => this.isInside(action) && isNext(action)); i++);
  }

  private isDone(): boolean {
    const leader = this.leader();
    const { proposed } = this;
    if (leader === undefined || proposed?.term !== leader.node.term) return false;
    const { committed } = leader.node;
    return committed >= proposed.index && this.cells().every(({ node }) => node.committed === committed);
  }

  /** Timers: a leader's, and of those who follow none of them, one after the other. */
  private passTime(round: number): void {
    const leader = this.leader();
    for (const { id } of this.cells().filter(({ node }) => node.role === "leader")) {
      this.takeAt(id, "check-quorum");
      this.takeAt(id, "heartbeat");
    }
    if (leader !== undefined) {
      if (this.proposed?.term !== leader.node.term && this.takeAt(leader.id, "propose")) {
        const proposer = this.cells().find(({ id }) => id === leader.id) as Cell;
        this.proposed = { index: lastIndexOf(wholeLog(proposer)), term: proposer.node.term };
      }
    }
    this.deliverAll();
    const stray = this.cells().filter(({ node }) => node.role !== "leader" && node.lead !== leader?.id);
    for (const { id } of stray) this.takeAt(id, "lease-out");
    const next = stray[round % Math.max(1, stray.length)];
    if (next !== undefined) this.takeAt(next.id, "time-out");
  }

  /** Whoever leads in the highest term among the majority. */
  private leader(): Cell | undefined {
    const cells = this.cells();
    const term = Math.max(...cells.map(({ node }) => node.term));
    return cells.find(({ node }) => node.role === "leader" && node.term === term);
  }

  private cells(): readonly Cell[] {
    const { space } = this.from.successors;
    return this.majority.map((id) => space.cells[this.state[id - 1] as number] as Cell);
  }

  private isInside({ node }: Action): boolean {
    return this.majority.includes(node);
  }

  private takeAt(node: number, kind: Input["kind"]): boolean {
    return this.take((action) => action.node === node && action.input.kind === kind);
  }

  private take(isWanted: (action: Action) => boolean): boolean {
    const { successors } = this.from;
    let taken = false;
    successors.expand(this.state, 0, () => (taken = isWanted(successors.action)));
    if (!taken) return false;
    this.actions.push(successors.action);
    this.state = successors.child.slice(0, successors.childWords);
    return true;
  }
}
