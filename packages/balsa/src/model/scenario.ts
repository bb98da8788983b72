import type { PeerMessage } from "../core/index.js";
import type { Cell } from "./cell.js";
import type { Configuration } from "./configuration.js";
import { ALL_REDUCTIONS } from "./configuration.js";
import { PropertyViolation } from "./history.js";
import type { Input } from "./input.js";
import { Space } from "./space.js";
import type { Action } from "./successors.js";
import { Successors } from "./successors.js";

/** A way through a configuration's states, as a file: plain JSON. */
export interface Scenario {
  /** What was wrong when it was found. */
  readonly what: string;
  /** What did not hold at its end. */
  readonly property: string;
  /** A configuration's name. */
  readonly configuration: string;
  readonly actions: readonly ScenarioAction[];
}

/** An action in JSON: bytes are lists of numbers. */
export interface ScenarioAction {
  readonly node: number;
  readonly input: unknown;
  readonly duplicate?: boolean;
  readonly lost?: boolean;
}

export interface Replay {
  /** Actions that could be taken. */
  readonly taken: readonly Action[];
  /** What did not hold, after the last one taken; undefined = all held. */
  readonly violation: string | undefined;
}

export function toScenario(property: string, configuration: string, actions: readonly Action[]): Scenario {
  return {
    what: "",
    property,
    configuration,
    actions: actions.map((action) => JSON.parse(canonical(action)) as ScenarioAction),
  };
}

/**
 * Takes the scenario's actions, one after the other. What can't be taken, as the message it delivers was never sent, is
 * passed over: where a bug is mended, its scenario comes to nothing.
 */
export function replay(configuration: Configuration, actions: readonly ScenarioAction[]): Replay {
  const walk = new Walk(configuration);
  const taken: Action[] = [];
  for (const action of actions) {
    const text = JSON.stringify(action);
    const done = walk.take((candidate) => canonical(candidate) === text);
    if (done === undefined) continue;
    taken.push(done);
    if (walk.violation !== undefined) break;
  }
  return { taken, violation: walk.violation };
}

/** Leaves out whatever it can, as long as the same property is broken. */
export function shrunk(configuration: Configuration, scenario: Scenario): Scenario {
  const { property } = scenario;
  let actions = scenario.actions;
  for (let size = Math.ceil(actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < actions.length; ) {
      const shorter = actions.filter((_, i) => i < from || i >= from + size);
      const { taken, violation } = replay(configuration, shorter);
      if (violation === property) actions = toScenario("", "", taken).actions;
      else from += size;
    }
  }
  return { ...scenario, actions };
}

/** One way through the states of a configuration, action by action. */
export class Walk {
  readonly successors: Successors;
  violation: string | undefined;
  private state: Int32Array;

  constructor(configuration: Configuration) {
    // Of states that are the same but for a renaming only this one is looked at, so there is nothing to reduce.
    const reductions = { ...ALL_REDUCTIONS, symmetry: false };
    this.successors = new Successors(new Space({ ...configuration, reductions }));
    this.successors.tellActions = true;
    this.successors.begin();
    this.state = this.successors.child.slice(0, this.successors.childWords);
  }

  /** All actions that the state allows. */
  actions(): readonly Action[] {
    const found: Action[] = [];
    this.successors.expand(this.state, 0, () => {
      found.push(this.successors.action);
      return false;
    });
    return found;
  }

  /** Takes the first action that is wanted; undefined: there is none. */
  take(isWanted: (action: Action) => boolean): Action | undefined {
    const { successors } = this;
    let taken: Action | undefined;
    successors.expand(this.state, 0, () => {
      if (!isWanted(successors.action)) return false;
      taken = successors.action;
      return true;
    });
    if (taken === undefined) return undefined;
    this.violation = successors.violation;
    try {
      if (this.violation === undefined) successors.checkState();
    } catch (error) {
      if (!(error instanceof PropertyViolation)) throw error;
      this.violation = error.message;
    }
    this.state = successors.child.slice(0, successors.childWords);
    return taken;
  }

  /** The nodes as they are, by their place. */
  get cells(): readonly Cell[] {
    return Array.from(
      this.state.subarray(0, this.successors.nodes),
      (cell) => this.successors.space.cells[cell] as Cell,
    );
  }

  /** The messages on their way. */
  get inFlight(): readonly PeerMessage[] {
    const { space, headWords } = this.successors;
    return Array.from(this.state.subarray(headWords), (message) => space.messages[message] as PeerMessage);
  }
}

function canonical(action: Action): string {
  return JSON.stringify(action, (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value));
}

/** Line by line, for people. */
export function describeActions(actions: readonly Action[]): string[] {
  return actions.map((action, i) => `${String(i + 1).padStart(3)}. ${describeAction(action)}`);
}

function describeAction({ node, input, duplicate, lost }: Action): string {
  if (node === 0) return "all clocks tick";
  if (lost === true && input.kind === "deliver") return `lost: ${describeMessage(input.message)}`;
  return `node ${node} ${describeInput(input)}${duplicate === true ? " (a copy stays on its way)" : ""}`;
}

function describeInput(input: Input): string {
  switch (input.kind) {
    case "deliver":
      return `receives ${describeMessage(input.message)}`;
    case "time-out":
      return "times out";
    case "heartbeat":
      return "sends heartbeats";
    case "check-quorum":
      return "checks its quorum";
    case "lease-out":
      return "has not heard of its leader for an election timeout";
    case "tick":
      return "ticks";
    case "propose":
      return "proposes an entry";
    case "change":
      return `proposes membership change ${input.change}`;
    case "transfer":
      return `is asked to hand leadership to ${input.to}`;
    case "read":
      return `asks for read ${input.request}`;
    case "ready":
      return "deals with its Ready";
    case "write":
      return "completes its oldest write";
    case "apply":
      return "applies its oldest batch";
    case "crash":
      return `crashes and restarts${input.kept > 0 ? `; of its unfinished writes ${input.kept} came through` : ""}`;
    case "compact":
      return "takes a snapshot and compacts its log";
    case "report":
      return `hears of the ${input.outcome} of the snapshot to ${input.peer}`;
    default:
      throw new Error(`an impossible input: ${JSON.stringify(input satisfies never)}`);
  }
}

function describeMessage(message: PeerMessage): string {
  const { type, from, to, term, ...fields } = message;
  const details = Object.entries(fields).map(([name, value]) => `${name} ${describeValue(value)}`);
  return [`${type} ${from}→${to} of term ${term}`, ...details].join(", ");
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) {
    const entries = value as { readonly type: string; readonly index: number; readonly term: number }[];
    return `[${entries.map(({ type, index, term }) => `${index}@${term}${type === "normal" ? "" : ` ${type}`}`).join(" ")}]`;
  }
  if (typeof value === "object" && value !== null && "meta" in value) {
    const { index, term } = value.meta as { readonly index: number; readonly term: number };
    return `up to ${index}@${term}`;
  }
  return String(value);
}
