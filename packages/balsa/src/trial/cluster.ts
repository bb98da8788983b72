import { BalsaError } from "../core/index.js";
import { RaftNode, type RaftNodeEvent, type RaftNodeOptions, type StateMachine } from "../node/index.js";
import type { Platform } from "../platform/index.js";
import { type CrashOptions, Prng, World, type WorldNode } from "../sim/index.js";
import { Chronicle } from "./chronicle.js";
import type { Coverage } from "./coverage.js";
import { isOnDurableQuorum } from "./durable-quorum.js";
import type { Target } from "./fault.js";
import { GroupRecord } from "./group-record.js";
import { Journal } from "./journal.js";
import { MemberRecord } from "./member-record.js";
import { delayOf, memberName, setUsualLinks } from "./network-delay.js";
import { FORMATS, type Release } from "./release.js";
import type { Scenario } from "./scenario.js";
import { SessionRecord } from "./session-record.js";
import { SessionedMachine } from "./sessioned-machine.js";
import { type Rule, RuleBroken, stackOf, type Violation, type ViolationParts } from "./violation.js";
import { WatchedMachine } from "./watched-machine.js";
import type { Workload } from "./workload.js";

/** What runs on a node of the world. */
export interface MemberLife<Machine extends StateMachine = StateMachine> {
  /** undefined: it did not start, since something was done to it. */
  readonly raft: RaftNode | undefined;
  readonly machine: Machine;
  close(): Promise<void>;
}

export interface SimulatedMember<Machine extends StateMachine = StateMachine> {
  /** Its place in the cluster, from 0: how scenarios name it. */
  readonly number: number;
  readonly name: string;
  readonly node: WorldNode<MemberLife<Machine>>;
  readonly record: MemberRecord;
  /** Something was done to this life that may stop it: then that is no violation. */
  isDoomed: boolean;
  /** Its disk is damaged, and not known to be repaired. */
  isRotten: boolean;
  /** This life did not start, as it knows nobody who could have what is lost. */
  isBeyondRepair: boolean;
  /** Its machine stands ready, with nothing that counts on its disk. */
  isSpare: boolean;
  /** What its operator starts it with. */
  start: Start;
  /** What its operator starts next. */
  release: Release;
  /** By ID: how many were asked for and may come about. */
  readonly removalsAsked: Map<number, number>;
}

/** As one of the first members, or to join those that there are. */
type Start = { readonly kind: "bootstrap" } | { readonly kind: "join"; readonly voter: boolean };

type StartOptions = NonNullable<RaftNodeOptions["cluster"]>;
type Bootstrapping = Extract<StartOptions, { readonly bootstrap: unknown }>;
type Joining = Extract<StartOptions, { readonly join: unknown }>;

export interface ClusterEvents<Machine extends StateMachine> {
  /** A life has ended: nothing more is heard of it. */
  lifeEnded(member: SimulatedMember<Machine>): void;
  /** A doomed member has stopped for good, or did not start: somebody has to start it anew. */
  stopped(member: SimulatedMember<Machine>): void;
}

/** Of each member, on its own disk. */
export const DATA_DIR = "/data";
const PORT = 2380;

/**
 * A cluster of real members, from the runtime down to the log, on a simulated platform; each with a state machine of the
 * workload's, and each watched.
 */
export class SimulatedCluster<Machine extends StateMachine = StateMachine> {
  readonly world: World;
  readonly members: readonly SimulatedMember<Machine>[];
  readonly journal: Journal;
  readonly group: GroupRecord;
  /** Where clients use sessions. */
  readonly sessions: SessionRecord | undefined;
  readonly coverage: Coverage;
  /** Kept for whoever wants to look at the run. */
  readonly chronicle: Chronicle | undefined;
  /** The first thing that must not be: what comes after it counts no more. */
  violation: Violation | undefined;
  /** IDs of members whose removal was acknowledged. */
  readonly acknowledgedRemovals: Set<number> = new Set<number>();
  /** When an operator asked for something last: a change of the members, or that leadership be handed over. */
  askedMs: number = Number.NEGATIVE_INFINITY;
  events: ClusterEvents<Machine> | undefined;
  readonly #scenario: Scenario;
  readonly #workload: Workload<Machine>;

  constructor(scenario: Scenario, workload: Workload<Machine>, coverage: Coverage, trace: "lines" | "hash") {
    this.#scenario = scenario;
    this.#workload = workload;
    this.coverage = coverage;
    this.journal = new Journal(coverage);
    this.group = new GroupRecord(coverage);
    if (scenario.sessions !== undefined) this.sessions = new SessionRecord(scenario.sessions, coverage);
    const { network, disk, seed } = scenario;
    this.world = new World({
      seed,
      trace,
      disk: { writeUs: disk.writeUs, syncUs: disk.syncUs },
      network: {
        delayUs: delayOf(network),
        splitChance: network.splitChance,
        joinChance: network.joinChance,
        resetChance: network.resetChance,
        ...(network.pieceBytesMax === undefined ? {} : { pieceBytesMax: network.pieceBytesMax }),
      },
    });
    this.chronicle = trace === "lines" ? new Chronicle(() => this.world.nowMs) : undefined;
    const machines = scenario.members + (scenario.spares ?? 0);
    this.members = Array.from({ length: machines }, (_, number) => this.#addMember(number));
    for (const number of network.slowMembers) this.resetLinks(number);
  }

  /** The member that leads in the highest term; undefined if none does. */
  get leader(): SimulatedMember<Machine> | undefined {
    let leader: SimulatedMember<Machine> | undefined;
    let leaderTerm = 0;
    for (const member of this.members) {
      const { record, node } = member;
      if (node.program?.raft === undefined || !record.leads || record.term <= leaderTerm) continue;
      leader = member;
      leaderTerm = record.term;
    }
    return leader;
  }

  find(target: Target): SimulatedMember<Machine> | undefined {
    if (target === "there") return undefined;
    return target === "leader" ? this.leader : this.members[target];
  }

  /** Whether members may come and go. */
  get hasSpares(): boolean {
    return (this.#scenario.spares ?? 0) > 0;
  }

  /** Notes what must not be; the first one only. */
  violate(rule: Rule, detail: string, { atMs, page, thrown }: ViolationParts = {}): void {
    const { world } = this;
    if (this.violation !== undefined) return;
    const stack = stackOf(thrown);
    this.violation = {
      rule,
      detail,
      atMs: atMs ?? world.nowMs,
      ...(page === undefined ? {} : { page }),
      ...(stack === undefined ? {} : { stack }),
    };
    this.chronicle?.violated(this.violation.atMs, `${rule}: ${detail}`);
    world.note(`VIOLATION ${rule}: ${detail.replaceAll("\n", " ")}`);
  }

  /** Notes what a checker threw; other errors are not its affair. */
  take(error: unknown): void {
    if (error instanceof RuleBroken) this.violate(error.rule, error.message);
    else throw error;
  }

  /** Does what may throw as a checker does. */
  check(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.take(error);
    }
  }

  /** The same, where any other error breaks this rule. */
  takeOr(error: unknown, rule: Rule, detail: string): void {
    if (error instanceof RuleBroken) this.take(error);
    else this.violate(rule, `${detail}: ${String(error)}`, { thrown: error });
  }

  crash(member: SimulatedMember<Machine>, options?: CrashOptions): void {
    if (!member.node.isUp) return;
    member.node.crash(options);
    this.#lifeEnded(member);
  }

  kill(member: SimulatedMember<Machine>): void {
    if (!member.node.isUp) return;
    member.node.kill();
    this.#lifeEnded(member);
  }

  async stop(member: SimulatedMember<Machine>): Promise<void> {
    if (member.node.program === undefined) return;
    await member.node.stop();
    this.#lifeEnded(member);
  }

  restart(member: SimulatedMember<Machine>): void {
    if (member.node.isUp || member.isSpare) return;
    const { disk } = member.node;
    // One that comes may ask in vain, or learn only later that it is known otherwise.
    member.isDoomed =
      disk.syncError !== undefined || disk.capacityBytes !== Number.POSITIVE_INFINITY || member.record.isComing;
    member.node.restart();
  }

  /** A member's machine goes down and loses its disk. Started again as before, it is to come back. */
  wipe(member: SimulatedMember<Machine>): void {
    const { record, node } = member;
    const voter = this.leader?.record.confState?.voters.includes(record.memberId) ?? true;
    if (member.start.kind === "join") member.start = { kind: "join", voter };
    // Those that it was told of at the very first may all have left since.
    else if (this.#firstStill(member) * 2 <= this.#scenario.members) member.start = { kind: "join", voter };
    this.crash(member);
    node.wipe();
    record.forget({ as: "back", voter });
    this.coverage.count("members wiped", member.name);
  }

  /** A spare machine is started to join. */
  enlist(member: SimulatedMember<Machine>, voter: boolean): void {
    member.isSpare = false;
    member.start = { kind: "join", voter };
    member.removalsAsked.clear();
    member.node.wipe();
    member.record.forget({ as: "new", voter });
    this.restart(member);
  }

  /** One that does not find its way in is told again whom to ask. */
  helpIn(member: SimulatedMember<Machine>): void {
    if (!member.record.isComing || member.isSpare) return;
    this.kill(member);
    if (member.record.hasLostDisk) member.start = { kind: "join", voter: true };
    this.restart(member);
  }

  /**
   * What an operator does with one that nobody can repair (docs/repair.md, "Limits"): it gets an empty directory, and joins.
   * One that must hear from somebody who is a member no more, or that does not know anybody who still is one.
   */
  relieve(member: SimulatedMember<Machine>): void {
    if (!this.hasSpares || !(this.#isForsaken(member) || member.isBeyondRepair)) return;
    this.coverage.count("members beyond repair", member.name);
    member.isRotten = false;
    this.wipe(member);
    this.restart(member);
  }

  #isForsaken({ node }: SimulatedMember<Machine>): boolean {
    const repair = node.program?.raft?.status().repair;
    if (repair === undefined) return false;
    const gone = repair.silent.filter(({ id }) => this.group.isGone(id)).length;
    return gone > 0 && (!repair.endKnown || (repair.answering.length === 0 && gone === repair.silent.length));
  }

  /** The ways to and from a member are again what they are when nothing is wrong. */
  resetLinks(number: number): void {
    setUsualLinks(this.world, this.#scenario.network, this.members.length, number);
  }

  powerOff(member: SimulatedMember<Machine>, options?: CrashOptions): void {
    if (!member.node.isUp) return;
    member.node.powerOff(options);
    this.#lifeEnded(member);
  }

  #lifeEnded(member: SimulatedMember<Machine>): void {
    member.node.disk.fault = undefined;
    this.chronicle?.stands(member.number, "down");
    this.events?.lifeEnded(member);
  }

  #addMember(number: number): SimulatedMember<Machine> {
    const name = memberName(number);
    const peers: ConstructorParameters<typeof MemberRecord>[2] = {
      durableOnQuorum: (index, term, configurations) => {
        const records = this.members.map(({ record }) => record);
        return configurations.some((configuration) => isOnDurableQuorum(records, index, term, configuration));
      },
      hasHeld: (memberId, index, term) => this.members.some((other) => other.record.hasHeld(memberId, index, term)),
      isBeyond: (memberId, term) => this.members.some((other) => other.record.isBeyond(memberId, term)),
      highestTerm: () => Math.max(...this.members.map((each) => (each.number === number ? 0 : each.record.term))),
    };
    const record = new MemberRecord(name, this.group, peers, this.coverage);
    const node = this.world.addNode<MemberLife<Machine>>(name, (platform) => this.#boot(member, platform));
    const isSpare = number >= this.#scenario.members;
    if (isSpare) node.kill();
    const member: SimulatedMember<Machine> = {
      ...{ number, name, node, record, isSpare },
      ...{ isDoomed: false, isRotten: false, isBeyondRepair: false },
      start: { kind: "bootstrap" },
      release: this.#scenario.releases?.[number] ?? "present",
      removalsAsked: new Map(),
    };
    return member;
  }

  /** How many of the first members are still members, besides this one. */
  #firstStill({ name }: SimulatedMember<Machine>): number {
    const members = this.leader?.node.program?.raft?.status().members ?? [];
    const first = this.#firstNames().filter((other) => other !== name);
    return members.filter((member) => first.includes(member.name)).length;
  }

  #firstNames(): readonly string[] {
    return Array.from({ length: this.#scenario.members }, (_, number) => memberName(number));
  }

  #startOptions({ name, start }: SimulatedMember<Machine>): Bootstrapping | Joining {
    if (start.kind === "bootstrap") {
      const members = this.#firstNames().map((other) => ({ name: other, address: `${other}:${PORT}` }));
      return { bootstrap: { id: "trial", members } };
    }
    const known = this.leader?.node.program?.raft?.status().members.map(({ address }) => address) ?? [];
    const all = this.members.map((other) => `${other.name}:${PORT}`);
    const others = (known.length > 0 ? known : all).filter((address) => address !== `${name}:${PORT}`);
    return { join: others.length > 0 ? others : all, voter: start.voter };
  }

  /** Nobody needs it any more: its machine may join again some day. */
  #gone(member: SimulatedMember<Machine>): void {
    const { record, name } = member;
    if ((member.removalsAsked.get(record.memberId) ?? 0) <= 0) {
      this.violate("no member stops by itself", `${name} was removed, and nobody asked for it`);
      return;
    }
    this.coverage.count("members removed", name);
    this.world.after(0, `${name} has left`, () => {
      if (member.isSpare) return;
      this.kill(member);
      member.isSpare = true;
      record.forget(undefined);
    });
  }

  /**
   * Its first start broke off after its disk was lost for a second time: what it has made is a directory of its first self, whose
   * place another has taken since. It says what to do.
   */
  #empty(member: SimulatedMember<Machine>): void {
    this.world.after(0, `${member.name} gets an empty directory`, () => {
      this.kill(member);
      member.node.wipe();
      this.restart(member);
    });
  }

  #watched({ name, node }: SimulatedMember<Machine>, machine: Machine, platform: Platform): StateMachine {
    const digest = (): string | number | undefined => this.#workload.digest?.(machine);
    const settings = this.#scenario.sessions;
    const hasSessions = this.sessions !== undefined && settings !== undefined;
    const outermost = hasSessions ? new SessionedMachine(name, machine, settings, this.sessions) : machine;
    const pieces = this.world.prng.stream(`${name} is restored in pieces, life ${node.lives}`);
    return new WatchedMachine(name, outermost, this.journal, digest, pieces, this.#slowness(platform, name));
  }

  async #boot(member: SimulatedMember<Machine>, platform: Platform): Promise<MemberLife<Machine>> {
    const { name, record } = member;
    const { settings } = this.#scenario;
    const { heartbeatMs, electionMs, snapshotLogEntries, keepEntries, ...tuning } = settings;
    const machine = this.#workload.create();
    member.isBeyondRepair = false;
    this.chronicle?.stands(member.number, "starting");
    try {
      const raft = await RaftNode.open({
        platform,
        dir: DATA_DIR,
        name,
        listen: `${name}:${PORT}`,
        cluster: this.#startOptions(member),
        stateMachine: this.#watched(member, machine, platform),
        heartbeatMs,
        electionMs,
        snapshotLogEntries,
        keepEntries,
        tuning,
        formats: FORMATS[member.release],
        observer: this.chronicle?.observe(member.number, record) ?? record,
        onEvent: (event) => this.#eventOf(member, event),
      });
      // What turned over was in nothing that it needs.
      if (raft.status().repair === undefined) member.isRotten = false;
      return { raft, machine, close: () => raft.close() };
    } catch (error) {
      this.chronicle?.ended(member.number, error);
      const broken = error instanceof BalsaError ? error.cause : error;
      if (broken instanceof RuleBroken) this.take(broken);
      else if (isRemoved(error) && !record.isComing) this.#gone(member);
      else if (isRemoved(error) && record.hasLostDisk && member.start.kind === "join") this.#empty(member);
      else if (this.hasSpares && member.isRotten && member.start.kind === "join" && isCorrupt(error)) {
        member.isBeyondRepair = true;
      } else if (member.isDoomed || (member.isRotten && isTimeout(error))) this.events?.stopped(member);
      else this.violate("members start", `${name}: ${String(error)}`, { thrown: error });
      return { raft: undefined, machine, close: () => Promise.resolve() };
    }
  }

  /** What a state machine waits for before it does anything; undefined: it does not. */
  #slowness({ clock }: Platform, name: string): (() => Promise<void>) | undefined {
    const { applyMs, seed } = this.#scenario;
    if (applyMs === undefined) return undefined;
    const prng = new Prng(`${seed}/${name} applies`);
    return () => new Promise((resolve) => void clock.setTimer(prng.between(...applyMs), resolve));
  }

  #eventOf(member: SimulatedMember<Machine>, event: RaftNodeEvent): void {
    switch (event.kind) {
      case "failed": {
        const { error } = event;
        this.chronicle?.ended(member.number, error);
        if (error.cause instanceof RuleBroken) this.take(error.cause);
        else if (error.code === "removed") this.#gone(member);
        else if (member.isDoomed && error.code !== "invariant") this.events?.stopped(member);
        else {
          const detail = `${member.name}: ${error.code}: ${error.message}`;
          this.violate("no member stops by itself", detail, { thrown: error });
        }
        return;
      }
      case "snapshot-taken":
        this.chronicle?.occurred("event", `snapshot taken at ${event.index}`, member.number);
        this.coverage.count("snapshots taken", member.name);
        return;
      case "removed":
        this.#gone(member);
        return;
      case "disk-full":
        this.coverage.count("disks full");
        return;
      case "repair-started":
        this.chronicle?.stands(member.number, "repairing");
        // Also of damage that an earlier opening had no need of.
        member.isRotten = true;
        member.record.repairStarted();
        return;
      case "repaired":
        member.isRotten = false;
        member.record.repaired(event);
        this.coverage.count(event.exact ? "members repaired exactly" : "members repaired from a leader's log");
        return;
      case "disk-has-room":
      case "leader-changed":
      case "snapshot-restored":
        return;
      default:
        event satisfies never;
    }
  }
}

function isCorrupt(error: unknown): boolean {
  return error instanceof BalsaError && error.code === "corrupt";
}

/** It asked in vain who the members are. */
function isTimeout(error: unknown): boolean {
  return error instanceof BalsaError && error.code === "timeout";
}

function isRemoved(error: unknown): boolean {
  return error instanceof BalsaError && error.code === "removed";
}
