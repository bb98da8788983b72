import type { ConfChange, PeerMessage } from "../../src/core/index.js";
import { NO_CONTEXT } from "../../src/core/index.js";
import type { Cell } from "../../src/model/cell.js";
import { lastIndexOf, wholeLog } from "../../src/model/cell.js";
import type { Configuration } from "../../src/model/configuration.js";
import { ALL_REDUCTIONS, NOTHING_ELSE } from "../../src/model/configuration.js";
import type { Input } from "../../src/model/input.js";
import { beyond } from "../../src/model/random-walk.js";
import { Walk } from "../../src/model/scenario.js";
import { parseChanges } from "../conformance/changes.js";
import { Directive } from "../conformance/directive.js";
import type { TraceStep } from "../conformance/trace-file.js";

/** What a node shows of itself; indexes count from the first snapshot's. */
export interface Shown {
  readonly role: string;
  readonly term: number;
  readonly lead: number;
  readonly commit: number;
  readonly applied: number;
  readonly last: number;
}

/** A recorded trace's directives as actions of the explorer, each of which must be among those that it finds. */
export class TraceWalk {
  /** Where the trace's logs begin; the explorer's begin at 1. */
  readonly offset: number;
  private readonly walk: Walk;
  private readonly nodes: number;
  private readonly changes: readonly ConfChange[];
  private proposedChanges = 0;
  /** In the order in which they were sent, which is the order in which a trace delivers. */
  private queue: PeerMessage[] = [];

  constructor(steps: readonly TraceStep[]) {
    const first = new Directive(steps.find(({ directive }) => directive === "add-nodes")!);
    this.nodes = first.number();
    this.offset = first.numberValue("index")! - 1;
    const asynchronous = first.flag("async-storage-writes") === true;
    this.changes = steps.filter(({ directive }) => directive === "propose-conf-change").map(changeOf);
    const configuration: Configuration = {
      name: "trace",
      what: "",
      nodes: this.nodes,
      maxTerm: 1,
      budgets: { ...NOTHING_ELSE, heartbeats: 1, proposals: 1, changes: this.changes.length },
      disk: asynchronous ? "slow" : "immediate",
      applying: asynchronous ? "slow" : "immediate",
      readies: "batched",
      clock: "free",
      preVote: first.flag("prevote") === true,
      changes: this.changes,
      reductions: ALL_REDUCTIONS,
    };
    this.walk = new Walk(beyond(configuration));
  }

  perform(step: TraceStep): void {
    const directive = new Directive(step);
    switch (directive.name) {
      case "campaign":
        this.must(directive.number(), "time-out");
        return;
      case "propose":
        this.take(directive.number(), (input) => input.kind === "propose");
        return;
      case "propose-conf-change": {
        const change = this.proposedChanges++;
        this.take(directive.number(), (input) => input.kind === "change" && input.change === change);
        return;
      }
      case "tick-heartbeat":
        this.take(directive.number(), (input) => input.kind === "heartbeat");
        return;
      case "process-ready":
        for (const id of directive.numbers()) this.take(id, ({ kind }) => kind === "ready");
        return;
      case "process-append-thread":
        for (const id of directive.numbers()) this.must(id, "write");
        return;
      case "process-apply-thread":
        for (const id of directive.numbers()) this.must(id, "apply");
        return;
      case "deliver-msgs":
        for (const id of directive.numbers()) this.deliver(id);
        for (const id of directive.numberList("drop")) this.queue = this.queue.filter(({ to }) => to !== id);
        return;
      case "stabilize":
        this.stabilize(directive.numbers());
        return;
      case "add-nodes":
      case "log-level":
      case "raft-log":
      case "raft-state":
      case "status":
        return;
      default:
        throw new Error(`no action for ${directive.name}`);
    }
  }

  shown(): readonly Shown[] {
    return this.walk.cells.map((cell) => shownOf(cell));
  }

  private stabilize(chosen: readonly number[]): void {
    const ids = chosen.length > 0 ? chosen : Array.from({ length: this.nodes }, (_, i) => i + 1);
    for (let busy = true; busy; ) {
      busy = false;
      for (const id of ids) busy = this.take(id, ({ kind }) => kind === "ready") || busy;
      for (const id of ids) busy = this.deliver(id) || busy;
      for (const id of ids) while (this.take(id, ({ kind }) => kind === "write")) busy = true;
      for (const id of ids) while (this.take(id, ({ kind }) => kind === "apply")) busy = true;
    }
  }

  private deliver(id: number): boolean {
    const messages = this.queue.filter(({ to }) => to === id);
    this.queue = this.queue.filter(({ to }) => to !== id);
    for (const message of messages) {
      // What has no effect is no action: the explorer leaves it where it is.
      this.take(id, (input) => input.kind === "deliver" && input.message === message);
    }
    return messages.length > 0;
  }

  private must(node: number, kind: Input["kind"]): void {
    if (!this.take(node, (input) => input.kind === kind)) throw new Error(`node ${node} cannot ${kind}`);
  }

  private take(node: number, isWanted: (input: Input) => boolean): boolean {
    const before = this.walk.inFlight.slice();
    const action = this.walk.take((found) => found.node === node && found.duplicate !== true && isWanted(found.input));
    if (this.walk.violation !== undefined) throw new Error(this.walk.violation);
    if (action === undefined) return false;
    if (action.input.kind === "deliver") before.splice(before.indexOf(action.input.message), 1);
    for (const message of this.walk.inFlight) {
      const place = before.indexOf(message);
      if (place >= 0) before.splice(place, 1);
      else this.queue.push(message);
    }
    return true;
  }
}

function shownOf(cell: Cell): Shown {
  const { role, term, lead, committed, applied } = cell.node;
  return { role, term, lead, commit: committed, applied, last: lastIndexOf(wholeLog(cell)) };
}

function changeOf(step: TraceStep): ConfChange {
  const directive = new Directive(step);
  const v1 = directive.flag("v1") === true;
  const changes = parseChanges(step.input);
  if (v1) return { version: 1, change: changes[0]!, context: NO_CONTEXT };
  return { version: 2, transition: "auto", changes, context: NO_CONTEXT };
}
