import type {
  ConfChange,
  ConfChangeTransition,
  Message,
  ProposeOutcome,
  ReadOnlyMode,
  Snapshot,
  SnapshotMessage,
  StepOutcome,
} from "../../src/core/index.js";
import { EMPTY_SNAPSHOT, isVoter, LOCAL_APPEND, LOCAL_APPLY, NO_CONTEXT, StorageError } from "../../src/core/index.js";
import type { NodeOptions } from "./appender-node.js";
import { AppenderNode, ExpectedError } from "./appender-node.js";
import { parseChanges } from "./changes.js";
import {
  describeEntries,
  describeMessage,
  describeProgress,
  describeReady,
  messageName,
  roleName,
} from "./describe.js";
import { Directive, TraceError } from "./directive.js";
import { Output } from "./output.js";
import type { TraceStep } from "./trace-file.js";

/** etcd's words for what our core says by a code. */
const STEP_ERRORS: Record<Exclude<StepOutcome, "stepped">, string> = {
  "proposal-dropped": "raft proposal dropped",
  "peer-not-found": "raft: cannot step as peer not found",
  "local-message": "raft: cannot step raft local message",
};

const STORAGE_ERRORS: Record<StorageError["code"], string> = {
  compacted: "requested index is unavailable due to compaction",
  unavailable: "requested entry at index is unavailable",
  "snapshot-out-of-date": "requested index is older than the existing snapshot",
  "snapshot-temporarily-unavailable": "snapshot is temporarily unavailable",
  "entries-temporarily-unavailable": "log entries are temporarily unavailable",
};

const TRANSITIONS: Readonly<Record<string, ConfChangeTransition>> = {
  auto: "auto",
  implicit: "joint-implicit",
  explicit: "joint-explicit",
};

const READ_ONLY_MODES: Readonly<Record<string, ReadOnlyMode>> = { safe: "safe", "lease-based": "lease-based" };

interface Delivery {
  readonly to: number;
  readonly drop: boolean;
}

/** interaction/: whole nodes, one queue of messages in flight, and directives that let them get on, step by step. */
export class InteractionReplay {
  private readonly nodes: AppenderNode[] = [];
  private inFlight: Message[] = [];
  private readonly out = new Output();

  /** Carries a directive out; returns what it printed. */
  run(step: TraceStep): string {
    const directive = new Directive(step);
    let error = "";
    try {
      this.perform(directive);
      directive.done();
    } catch (caught) {
      error = expectedText(caught);
    }
    return this.out.take(error);
  }

  private perform(directive: Directive): void {
    switch (directive.name) {
      case "log-level":
        this.out.setLevel(directive.word());
        return;
      case "add-nodes":
        this.addNodes(directive);
        return;
      case "campaign":
        this.node(directive.number()).raw.campaign();
        return;
      case "propose":
        accept(this.node(directive.number()).raw.propose(new TextEncoder().encode(directive.word())));
        return;
      case "propose-conf-change":
        this.proposeConfChange(directive);
        return;
      case "tick-election":
        this.node(directive.number()).tickElection();
        return;
      case "tick-heartbeat":
        this.node(directive.number()).tickHeartbeat();
        return;
      case "process-ready":
        this.eachNode(directive, "handling Ready", (node) => this.processReady(node));
        return;
      case "process-append-thread":
        this.eachNode(directive, "processing append thread", (node) => this.processAppendWork(node));
        return;
      case "process-apply-thread":
        this.eachNode(directive, "processing apply thread", (node) => this.processApplyWork(node));
        return;
      case "deliver-msgs":
        this.deliverMessages(directive);
        return;
      case "stabilize":
        this.stabilizeAtLevel(directive);
        return;
      case "raft-log":
        this.printLog(this.node(directive.number()));
        return;
      case "raft-state":
        for (const { raw } of this.nodes) this.printState(raw.status());
        return;
      case "status":
        this.out.print(describeProgress(this.node(directive.number()).raw.status().progress));
        return;
      case "compact": {
        const node = this.node(directive.number());
        node.storage.compact(directive.number());
        this.printLog(node);
        return;
      }
      case "send-snapshot":
        this.sendSnapshot(this.node(directive.number()), directive.number());
        return;
      case "transfer-leadership":
        this.transferLeadership(directive);
        return;
      case "forget-leader":
        this.node(directive.number()).raw.forgetLeader();
        return;
      case "report-unreachable":
        this.node(directive.number()).raw.reportUnreachable(directive.number());
        return;
      case "set-randomized-election-timeout":
        this.setRandomizedElectionTimeout(directive);
        return;
      default:
        throw new TraceError(`unknown directive ${directive.name}`);
    }
  }

  private node(id: number): AppenderNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new TraceError(`there is no node ${id}`);
    return node;
  }

  // ---- setting up

  private addNodes(directive: Directive): void {
    const count = directive.number();
    const snapshot = initialSnapshot(directive);
    const options = nodeOptions(directive, snapshot);
    for (let i = 0; i < count; i++) this.nodes.push(new AppenderNode(this.nodes.length + 1, options, snapshot));
  }

  private setRandomizedElectionTimeout(directive: Directive): void {
    const node = this.node(directive.number());
    const ticks = directive.numberValue("timeout");
    if (ticks === undefined) throw new TraceError("timeout=T is missing");
    node.setRandomizedElectionTimeout(ticks);
  }

  // ---- calls

  private proposeConfChange(directive: Directive): void {
    const { raw } = this.node(directive.number());
    const v1 = directive.flag("v1") ?? false;
    const transition = named(TRANSITIONS, directive.value("transition") ?? "auto");
    const changes = parseChanges(directive.input);
    const [first] = changes;
    let change: ConfChange = { version: 2, transition, changes, context: NO_CONTEXT };
    if (v1) {
      if (first === undefined || changes.length > 1 || transition !== "auto") {
        throw new ExpectedError("v1 conf change can only have one operation and no transition");
      }
      change = { version: 1, change: first, context: NO_CONTEXT };
    }
    accept(raw.proposeConfChange(change));
  }

  private transferLeadership(directive: Directive): void {
    const from = directive.numberValue("from");
    const to = directive.numberValue("to");
    if (from === undefined || to === undefined) throw new TraceError("from=A and to=B are needed");
    this.node(from).raw.transferLeader(to);
  }

  private sendSnapshot(node: AppenderNode, to: number): void {
    const { id, raw, storage } = node;
    const message: SnapshotMessage = { type: "snapshot", from: id, to, term: raw.term, snapshot: storage.snapshot() };
    this.inFlight.push(message);
    this.out.print(describeMessage(message));
  }

  // ---- getting on

  /** Several nodes get a heading each, and what they print is indented. */
  private eachNode(directive: Directive, heading: string, act: (node: AppenderNode) => void): void {
    const ids = directive.numbers();
    for (const id of ids) {
      if (ids.length === 1) act(this.node(id));
      else this.under(`> ${id} ${heading}`, () => act(this.node(id)));
    }
  }

  private under(heading: string, act: () => void): void {
    this.out.print(`${heading}\n`);
    this.out.indented(act);
  }

  private processReady(node: AppenderNode): void {
    const ready = node.raw.ready();
    this.out.print(describeReady(ready));
    if (!node.asynchronous) {
      node.store(ready.hardState, ready.entries, ready.snapshot);
      node.apply(ready.committedEntries);
    }
    for (const message of ready.messages) if (!node.queueWork(message)) this.inFlight.push(message);
    if (!node.asynchronous) node.raw.advance();
  }

  private processAppendWork(node: AppenderNode): void {
    const work = node.appendWork.shift();
    if (work === undefined) {
      this.out.print("no append work to perform");
      return;
    }
    this.out.print(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
    node.store(work.hardState, work.entries, work.snapshot);
    this.respond(work.responses);
  }

  private processApplyWork(node: AppenderNode): void {
    const work = node.applyWork.shift();
    if (work === undefined) {
      this.out.print("no apply work to perform");
      return;
    }
    this.out.print(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
    node.apply(work.entries);
    this.respond(work.responses);
  }

  private respond(responses: readonly Message[]): void {
    this.out.print(`Responses:\n${responses.map((message) => `${describeMessage(message)}\n`).join("")}`);
    this.inFlight.push(...responses);
  }

  private deliverMessages(directive: Directive): void {
    const deliveries: Delivery[] = directive.numbers().map((to) => ({ to, drop: false }));
    for (const to of directive.numberList("drop")) {
      if (deliveries.some((d) => d.to === to)) throw new TraceError(`can't both deliver and drop messages to ${to}`);
      deliveries.push({ to, drop: true });
    }
    const type = directive.value("type");
    let delivered = 0;
    for (const delivery of deliveries) delivered += this.deliver(delivery, type);
    if (delivered === 0) this.out.print("no messages\n");
  }

  /** Hands over what is queued for a node, in order; returns how many there were. */
  private deliver({ to, drop }: Delivery, type: string | undefined): number {
    const chosen = (m: Message): boolean =>
      m.to === to && !(drop && isLocal(m)) && (type === undefined || messageName(m.type) === type);
    const messages = this.inFlight.filter(chosen);
    this.inFlight = this.inFlight.filter((message) => !chosen(message));
    for (const message of messages) {
      this.out.print(`${drop ? "dropped: " : ""}${describeMessage(message)}\n`);
      if (drop) continue;
      const outcome = this.node(to).raw.step(message);
      if (outcome !== "stepped") this.out.print(`${STEP_ERRORS[outcome]}\n`);
    }
    return messages.length;
  }

  private stabilizeAtLevel(directive: Directive): void {
    const ids = directive.numbers();
    const nodes = ids.length === 0 ? this.nodes : ids.map((id) => this.node(id));
    const level = directive.value("log-level");
    if (level === undefined) this.stabilize(nodes);
    else this.out.atLevel(level, () => this.stabilize(nodes));
  }

  private stabilize(nodes: readonly AppenderNode[]): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const node of nodes) {
        if (!node.raw.hasReady()) continue;
        busy = true;
        this.under(`> ${node.id} handling Ready`, () => this.processReady(node));
      }
      for (const { id } of nodes) {
        if (!this.inFlight.some((message) => message.to === id)) continue;
        busy = true;
        this.under(`> ${id} receiving messages`, () => this.deliver({ to: id, drop: false }, undefined));
      }
      for (const node of nodes) {
        if (node.appendWork.length === 0) continue;
        busy = true;
        this.under(`> ${node.id} processing append thread`, () => {
          while (node.appendWork.length > 0) this.processAppendWork(node);
        });
      }
      for (const node of nodes) {
        if (node.applyWork.length === 0) continue;
        busy = true;
        this.under(`> ${node.id} processing apply thread`, () => {
          while (node.applyWork.length > 0) this.processApplyWork(node);
        });
      }
    }
  }

  // ---- looking

  private printLog({ storage }: AppenderNode): void {
    const first = storage.firstIndex();
    const last = storage.lastIndex();
    if (last < first) this.out.print(`log is empty: first index=${first}, last index=${last}`);
    else this.out.print(describeEntries(storage.entries(first, last + 1, Number.POSITIVE_INFINITY)));
  }

  private printState({ id, role, term, lead, conf }: ReturnType<AppenderNode["raw"]["status"]>): void {
    const voter = isVoter(conf, id) ? "(Voter)" : "(Non-Voter)";
    this.out.print(`${id}: ${roleName(role)} ${voter} Term:${term} Lead:${lead}\n`);
  }
}

function accept(outcome: ProposeOutcome): void {
  if (outcome.kind === "dropped") throw new ExpectedError(STEP_ERRORS["proposal-dropped"]);
}

/** Between a node and its own storage, or itself: what must not be lost. */
function isLocal(message: Message): boolean {
  const { from, to } = message;
  return from === to || from === LOCAL_APPEND || from === LOCAL_APPLY || to === LOCAL_APPEND || to === LOCAL_APPLY;
}

/** What the storage of new nodes starts from: nothing, or a snapshot of a configuration and a state. */
function initialSnapshot(directive: Directive): Snapshot {
  const options = ["voters", "learners", "index", "content"];
  if (!options.some((option) => directive.has(option))) return EMPTY_SNAPSHOT;
  const voters = directive.numberList("voters");
  const learners = directive.numberList("learners");
  const index = directive.numberValue("index") ?? 0;
  const data = new TextEncoder().encode(directive.value("content") ?? "");
  if (index <= 1) throw new ExpectedError("index must be specified as > 1 due to bootstrap");
  const confState = { voters, votersOutgoing: [], learners, learnersNext: [], autoLeave: false };
  return { meta: { index, term: 1, confState }, data };
}

function nodeOptions(directive: Directive, snapshot: Snapshot): NodeOptions {
  const readOnly = directive.value("read-only");
  const committedBytes = directive.numberValue("max-committed-size-per-ready");
  const inflight = directive.numberValue("inflight");
  return {
    applied: snapshot.meta.index,
    asyncStorageWrites: directive.flag("async-storage-writes") ?? false,
    preVote: directive.flag("prevote") ?? false,
    checkQuorum: directive.flag("checkquorum") ?? false,
    stepDownOnRemoval: directive.flag("step-down-on-removal") ?? false,
    disableConfChangeValidation: directive.flag("disable-conf-change-validation") ?? false,
    ...(inflight === undefined ? {} : { maxInflightMessages: inflight }),
    ...(committedBytes === undefined ? {} : { maxCommittedBytesPerReady: committedBytes }),
    ...(readOnly === undefined ? {} : { readOnly: named(READ_ONLY_MODES, readOnly) }),
  };
}

function named<T>(names: Readonly<Record<string, T>>, name: string): T {
  const value = names[name];
  if (value === undefined) throw new TraceError(`what is ${name}?`);
  return value;
}

/** What etcd's harness prints of an error; any other error is the harness's own and fails the trace. */
function expectedText(error: unknown): string {
  if (error instanceof ExpectedError) return error.message;
  if (error instanceof StorageError) return STORAGE_ERRORS[error.code];
  throw error;
}
