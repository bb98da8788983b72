import type {
  ConfChange,
  ConfChangeTransition,
  ConfState,
  Entry,
  Message,
  NodeChange,
  ProposeOutcome,
  RawNode,
  Snapshot,
  SnapshotMessage,
  StepOutcome,
} from "../../src/core/index.js";
import {
  EMPTY_CONF_STATE,
  isMember,
  LOCAL_APPEND,
  LOCAL_APPLY,
  MemoryStorage,
  NO_CONTEXT,
} from "../../src/core/index.js";
import { type Lateness, LateStorage } from "./late-storage.js";
import type { MemberOptions } from "./member.js";
import { ELECTION_TICKS, HEARTBEAT_TICKS, Member } from "./member.js";
import { SafetyChecks } from "./safety.js";

export interface ScenarioOptions extends MemberOptions {
  /** IDs of the voters: 1, 2, 3 unless said otherwise. */
  readonly voters?: readonly number[];
  readonly learners?: readonly number[];
  /** How the members' storages answer; all at once unless said otherwise. */
  readonly lateness?: (member: number) => ReturnType<Lateness>;
  /** Options of single members, over the group's. */
  readonly only?: Readonly<Record<number, MemberOptions>>;
}

/** Every group begins with a snapshot that holds its configuration and nothing else, at this index and term. */
export const BEGINNING = { index: 1, term: 1 } as const;

/**
 * A story about a group, told in the present tense. Nothing happens by itself: members tick when they are told to, and
 * what they have to do, and say to each other, is done in `settle`, until nobody has anything left to do. Invariants are
 * checked at every turn, the group's safety over the whole story.
 *
 * ```
 * const group = new Scenario();
 * group.elect(1);
 * group.isolate(1);
 * group.propose(1, "lost");
 * group.elect(2);
 * group.propose(2, "kept");
 * group.heal();
 * expect(group.commands(1)).toEqual(["kept"]);
 * ```
 */
export class Scenario {
  readonly members = new Map<number, Member>();
  /** Messages on their way, oldest first. */
  inFlight: Message[] = [];
  /** All messages that were ever put on their way. */
  readonly sent: Message[] = [];
  private readonly options: ScenarioOptions;
  private readonly cut = new Set<string>();
  private readonly slowStorage = new Set<number>();
  private readonly safety = new SafetyChecks();

  constructor(options: ScenarioOptions = {}) {
    this.options = options;
    const voters = options.voters ?? [1, 2, 3];
    const learners = options.learners ?? [];
    const conf: ConfState = { ...EMPTY_CONF_STATE, voters, learners };
    for (const id of [...voters, ...learners]) this.add(id, conf);
  }

  // ---- members

  member(id: number): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  /** A node with an empty storage, which waits to be told of the group. */
  addEmpty(id: number): void {
    this.add(id, undefined);
  }

  /** Loses everything it did not store. What is on its way to it is lost as well. */
  crash(...ids: number[]): void {
    for (const id of ids) {
      this.member(id).crash();
      for (const message of this.intercept(({ to }) => to === id)) this.lose(message);
    }
  }

  restart(...ids: number[]): void {
    for (const id of ids) this.member(id).restart();
  }

  /**
   * The group's logs are what the paper's figures show, terms separated by blanks, and all members know of the latest
   * term. Must come first in a story.
   */
  giveLogs(logs: Readonly<Record<number, string>>): void {
    const term = Math.max(...Object.values(logs).flatMap((terms) => terms.split(" ").map(Number)));
    for (const [id, terms] of Object.entries(logs)) {
      const member = this.member(Number(id));
      const entries = terms.split(" ").map((entryTerm, i): Entry => {
        const data = new TextEncoder().encode(`${entryTerm}.${i + 1}`);
        return { type: "normal", term: Number(entryTerm), index: BEGINNING.index + 1 + i, data, checksum: 0 };
      });
      member.storage.append(entries);
      member.storage.setHardState({ term, vote: 0, commit: BEGINNING.index });
      member.restart();
    }
  }

  // ---- the network

  /** Nothing gets through between these members and all others. */
  isolate(...ids: number[]): void {
    for (const a of this.members.keys()) {
      for (const b of this.members.keys()) if (ids.includes(a) !== ids.includes(b)) this.cut.add(`${a}>${b}`);
    }
  }

  /** What `from` sends to `to` is lost; the other direction works. */
  cutOneWay(from: number, to: number): void {
    this.cut.add(`${from}>${to}`);
  }

  /** The network is whole again, and nothing happens yet. */
  reconnect(): void {
    this.cut.clear();
  }

  /** The network is whole again, and time passes until all know of it. */
  heal(): void {
    this.reconnect();
    this.settle();
    this.heartbeat();
  }

  /** Takes the messages on their way that fit out of the network, for a test that wants to lose or delay them. */
  intercept(chosen: (message: Message) => boolean): Message[] {
    const taken = this.inFlight.filter(chosen);
    this.inFlight = this.inFlight.filter((message) => !chosen(message));
    return taken;
  }

  // ---- deeds

  /** Time passes for one member. */
  tick(id: number, ticks = 1): void {
    for (let i = 0; i < ticks; i++) this.member(id).act((node) => node.tick());
    this.observe(id);
  }

  /** All leaders send heartbeats, and what follows from them happens. */
  heartbeat(): void {
    for (const member of this.members.values()) if (member.up) this.tick(member.id, HEARTBEAT_TICKS);
    this.settle();
  }

  /** Long enough passes for a member to think that there is no leader. */
  timeOut(id: number): void {
    this.tick(id, 2 * ELECTION_TICKS);
    this.settle();
  }

  campaign(id: number): void {
    this.member(id).act((node) => node.campaign());
    this.settle();
  }

  /** Campaigns and wins. */
  elect(id: number): void {
    this.campaign(id);
    const { role } = this.member(id).node;
    if (role !== "leader") throw new Error(`member ${id} was not elected: it is ${role}`);
  }

  /** Proposes and lets things happen. */
  propose(id: number, ...commands: string[]): ProposeOutcome {
    const outcome = this.proposeOnly(id, ...commands);
    this.settle();
    return outcome;
  }

  /** Proposes, and nothing happens yet. */
  proposeOnly(id: number, ...commands: string[]): ProposeOutcome {
    const datas = commands.map((command) => new TextEncoder().encode(command));
    const outcome = this.member(id).act((node) => node.proposeBatch(datas));
    this.observe(id);
    return outcome;
  }

  change(id: number, transition: ConfChangeTransition, ...changes: NodeChange[]): ProposeOutcome {
    return this.proposeChange(id, { version: 2, transition, changes, context: NO_CONTEXT });
  }

  proposeChange(id: number, change: ConfChange): ProposeOutcome {
    const outcome = this.member(id).act((node) => node.proposeConfChange(change));
    this.settle();
    return outcome;
  }

  /** Asks for an index to read at, and nothing happens yet. */
  askRead(id: number, requestId: number): string {
    const member = this.member(id);
    this.safety.readAsked(member, requestId);
    const outcome = member.act((node) => node.readIndex(requestId));
    this.observe(id);
    return outcome;
  }

  transfer(from: number, to: number): void {
    this.member(from).act((node) => node.transferLeader(to));
    this.settle();
  }

  /** Hands a member a message, whoever wrote it. */
  deliver(message: Message): StepOutcome {
    const outcome = this.member(message.to).act((node) => node.step(message));
    this.observe(message.to);
    return outcome;
  }

  // ---- what members do by themselves

  /** Until nobody has anything left to do. */
  settle(): void {
    for (let turn = 0; this.turn(); turn++) if (turn > 10_000) throw new Error("the group does not come to rest");
    this.compareLogs();
  }

  /** One Ready of each member, then all messages that are on their way. */
  turn(): boolean {
    let busy = false;
    for (const member of this.members.values()) busy = this.processReady(member) || busy;
    busy = this.deliverAll() || busy;
    for (const member of this.members.values()) busy = this.processStorage(member) || busy;
    for (const member of this.members.values()) busy = this.fetchEntries(member.id) || busy;
    return busy;
  }

  /** One Ready of a member, if it has one: stored, applied, and its messages on their way. */
  processReady(member: Member): boolean {
    if (!member.up || !member.node.hasReady()) return false;
    const ready = member.takeReady();
    if (!member.asynchronous) {
      member.store(ready.hardState, ready.entries, ready.snapshot);
      if (ready.snapshot !== undefined) member.restore(ready.snapshot);
      member.apply(ready.committedEntries);
    }
    for (const message of ready.messages) this.dispatch(member, message);
    if (!member.asynchronous) member.act((node) => node.advance());
    this.observe(member.id);
    return true;
  }

  /** Asynchronous writes of this member stay undone until `releaseStorage`. */
  holdStorage(id: number): void {
    this.slowStorage.add(id);
  }

  releaseStorage(id: number): void {
    this.slowStorage.delete(id);
    this.settle();
  }

  /** Does the oldest write of a member and delivers its answers, held or not. */
  completeWrite(id: number): void {
    const member = this.member(id);
    const work = member.appendWork.shift();
    if (work === undefined) throw new Error(`member ${id} has nothing to write`);
    member.store(work.hardState, work.entries, work.snapshot);
    if (work.snapshot !== undefined) member.restore(work.snapshot);
    for (const message of work.responses) this.dispatch(member, message);
  }

  /** Entries that a member waits for are fetched into memory. */
  fetchEntries(id: number): boolean {
    const fetched = this.member(id).fetchEntries();
    if (fetched) this.observe(id);
    return fetched;
  }

  /** Applies the oldest batch that a member was handed, and delivers its answer. */
  completeApply(id: number): void {
    const member = this.member(id);
    const work = member.applyWork.shift();
    if (work === undefined) return;
    member.apply(work.entries);
    for (const message of work.responses) this.dispatch(member, message);
  }

  private processStorage(member: Member): boolean {
    if (!member.up || this.slowStorage.has(member.id)) return false;
    const busy = member.appendWork.length + member.applyWork.length > 0;
    while (member.appendWork.length > 0) this.completeWrite(member.id);
    while (member.applyWork.length > 0) this.completeApply(member.id);
    return busy;
  }

  /** Delivers what is on its way; what passes over a cut is lost. */
  private deliverAll(): boolean {
    const messages = this.inFlight;
    this.inFlight = [];
    for (const message of messages) {
      const reachable = !this.cut.has(`${message.from}>${message.to}`) && this.members.get(message.to)?.up === true;
      if (reachable) this.arrive(message);
      else this.lose(message);
    }
    return messages.length > 0;
  }

  /** A message that was on its way arrives. The sender of a snapshot hears of that from its transport. */
  arrive(message: Message): void {
    this.deliver(message);
    if (message.type === "snapshot") this.reportSnapshot(message, "success");
  }

  /** A message that was on its way does not arrive. */
  lose(message: Message): void {
    if (message.type === "snapshot") this.reportSnapshot(message, "failure");
  }

  private reportSnapshot({ from, to }: SnapshotMessage, outcome: "success" | "failure"): void {
    if (this.member(from).up) this.member(from).act((node) => node.reportSnapshot(to, outcome));
  }

  private dispatch(member: Member, message: Message): void {
    if (message.to === LOCAL_APPEND && message.type === "storage-append") member.appendWork.push(message);
    else if (message.to === LOCAL_APPLY && message.type === "storage-apply") member.applyWork.push(message);
    else if (message.to === member.id) this.deliver(message);
    else {
      const outgoing = message.type === "snapshot" ? withFreshSnapshot(member, message) : message;
      this.inFlight.push(outgoing);
      this.sent.push(outgoing);
    }
  }

  // ---- looking

  /** A member as its neighbours might see it. */
  see(id: number): Pick<RawNode, "role" | "term" | "lead" | "commit" | "applied" | "lastIndex"> {
    const { role, term, lead, commit, applied, lastIndex } = this.member(id).node;
    return { role, term, lead, commit, applied, lastIndex };
  }

  /** Who leads in the highest term that anyone leads in; 0 = nobody. */
  leader(): number {
    const leaders = [...this.members.values()].filter((member) => member.up && member.node.role === "leader");
    leaders.sort((a, b) => b.node.term - a.node.term);
    return leaders[0]?.id ?? 0;
  }

  /** What the application was given to apply, empty entries and membership changes left out. */
  commands(id: number): string[] {
    return this.member(id).applied.flatMap(({ data }) => (data === "" || / \d+|leave joint/.test(data) ? [] : [data]));
  }

  logs(): Record<number, string> {
    return Object.fromEntries([...this.members.values()].map((member) => [member.id, member.logTerms()]));
  }

  /** What the leader knows of a peer. */
  progress(leader: number, peer: number): ReturnType<Member["state"]>["peers"][number] {
    const progress = this.member(leader)
      .state()
      .peers.find(({ id }) => id === peer);
    if (progress === undefined) throw new Error(`member ${leader} knows of no ${peer}`);
    return progress;
  }

  private add(id: number, conf: ConfState | undefined): void {
    const { voters: _voters, learners: _learners, lateness, only, ...options } = this.options;
    const storage = lateness === undefined ? new MemoryStorage() : new LateStorage(() => lateness(id));
    if (conf !== undefined) {
      const snapshot: Snapshot = { meta: { ...BEGINNING, confState: conf }, data: new Uint8Array(0) };
      storage.applySnapshot(snapshot);
    }
    this.members.set(id, new Member(id, conf ?? EMPTY_CONF_STATE, storage, { ...options, ...only?.[id] }));
  }

  private observe(id: number): void {
    this.safety.observe(this.member(id));
  }

  private compareLogs(): void {
    const all = [...this.members.values()];
    all.forEach((a, i) => all.slice(i + 1).forEach((b) => this.safety.compareLogs(a, b)));
  }
}

/**
 * A node that joined after the newest snapshot was made refuses it, as it is no member there. Whoever embeds the core
 * makes a new one then.
 */
function withFreshSnapshot(member: Member, message: SnapshotMessage): SnapshotMessage {
  const known = (snapshot: Snapshot): boolean => isMember(snapshot.meta.confState, message.to);
  if (known(message.snapshot)) return message;
  const newest = member.storage.snapshot();
  return { ...message, snapshot: known(newest) ? newest : member.snapshotNow() };
}
