import type { StateMachine } from "../node/index.js";
import { BlockedLinks } from "./blocked-links.js";
import type { CalledOperation, Clients } from "./clients.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import type { BlockedWay } from "./fault.js";
import { isFormed } from "./formed.js";
import { Healing } from "./healing.js";
import {
  TRUCE_DEPOSALS_MAX,
  TRUCE_ELECTIONS,
  TRUCE_LATENESSES,
  TRUCE_MS,
  TRUCE_STAY_ELECTIONS,
  TRUCE_STILL_ELECTIONS,
  TRUCE_STILL_MS,
} from "./limits.js";
import type { Scenario } from "./scenario.js";

/**
 * Ways that are blocked, any of them. Where some member can be elected, that is where it and those that it reaches both ways
 * are a majority, most of whom have no newer log, a leader must come about whom all follow that it reaches both ways, a
 * majority with it; one of them must take a write; and it must go on to lead. A majority that all reach each other always
 * has such a member: the one with the newest log (Raft §5.4.1).
 *
 * Why it can be asked for.
 * - Whoever leads on has a majority that it reaches both ways: to be elected it asked them and heard from them, and a leader
 *   that does not hear from one steps down within an election timeout (thesis §6.2).
 * - If nobody leads, leases run out within a timeout more. Then whoever can be elected gets the pre-votes that it asks for, of
 *   a later term as soon as a refusal has told it of that one (§9.6), and the same votes, unless votes are split.
 * - Who leads and is heard by its majority is not deposed: whoever hears of it gives no (pre-)vote, and those who do not are
 *   less than a majority. A pre-vote raises no term. Only who is in a later term already, and is reached both ways, makes
 *   the leader step down, once: the next one leads in a later term still.
 *
 * What can't be asked for. Not that each of a majority that all reach each other takes writes: the leader need not be one of them,
 * one of them may hear nothing of it, and a member forwards to a leader only. Not that a member leads that is the only one to
 * reach a majority, while those it reaches have newer logs: Raft moves entries from leaders to followers alone.
 */
export async function keepTopology<Machine extends StateMachine, State, Input, Output>(
  cluster: SimulatedCluster<Machine>,
  clients: Clients<Machine, State, Input, Output>,
  blocked: readonly BlockedWay[],
  scenario: Scenario,
): Promise<void> {
  const { members, world } = cluster;
  const truce = new TopologyTruce(cluster, clients, blocked, scenario);
  if (!truce.mayAnyLead) return;
  const links = new BlockedLinks(world.network);
  for (const [from, to] of blocked) {
    const [sender, receiver] = [members[from], members[to]];
    if (sender !== undefined && receiver !== undefined) links.block(sender.name, receiver.name);
  }
  world.note(`truce with ways blocked: ${blocked.map(([from, to]) => `m${from + 1}>m${to + 1}`).join(" ")}`);
  cluster.coverage.count("truces");
  await truce.keep();
  links.clear();
}

/** Whom each reaches both ways, itself among them, by number. */
export function mutualReach(members: number, blocked: readonly BlockedWay[]): readonly (readonly number[])[] {
  const isOpen = (a: number, b: number): boolean => !blocked.some(([from, to]) => from === a && to === b);
  const numbers = Array.from({ length: members }, (_, number) => number);
  return numbers.map((a) => numbers.filter((b) => a === b || (isOpen(a, b) && isOpen(b, a))));
}

class TopologyTruce<Machine extends StateMachine, State, Input, Output> {
  readonly #cluster: SimulatedCluster<Machine>;
  readonly #clients: Clients<Machine, State, Input, Output>;
  readonly #scenario: Scenario;
  readonly #healing: Healing<Machine>;
  readonly #reach: readonly (readonly SimulatedMember<Machine>[])[];
  readonly #limitMs: number;
  #turn = 0;

  constructor(
    cluster: SimulatedCluster<Machine>,
    clients: Clients<Machine, State, Input, Output>,
    blocked: readonly BlockedWay[],
    scenario: Scenario,
  ) {
    const { members } = cluster;
    this.#cluster = cluster;
    this.#clients = clients;
    this.#scenario = scenario;
    this.#healing = new Healing(cluster);
    const reach = mutualReach(members.length, blocked);
    this.#reach = reach.map((numbers) => members.filter(({ number }) => numbers.includes(number)));
    this.#limitMs = TRUCE_MS + TRUCE_ELECTIONS * scenario.settings.electionMs;
  }

  /** Whether anybody reaches a majority both ways, whatever is in its log. */
  get mayAnyLead(): boolean {
    return this.#reach.some((reached) => this.#isMajority(reached.length));
  }

  async keep(): Promise<void> {
    const { world } = this.#cluster;
    const stillMs = world.nowMs + TRUCE_STILL_MS + TRUCE_STILL_ELECTIONS * this.#scenario.settings.electionMs;
    const isStuck = (): boolean => world.nowMs >= stillMs && !this.#mayBeElected();
    await this.#within(
      "a leader whom all follow that it reaches both ways",
      () => this.#settled() !== undefined || isStuck(),
    );
    if (this.#settled() === undefined) return;
    this.#cluster.coverage.count("truces led");
    await this.#write();
    if (!this.#isPrompt() || this.#cluster.violation !== undefined) return;
    await this.#stay();
    await this.#write();
  }

  /** With nothing else going wrong the leader goes on to lead. */
  async #stay(): Promise<void> {
    const { coverage, world } = this.#cluster;
    const elections = (): number => coverage.counts["elections won"] ?? 0;
    const before = elections();
    const stayMs = TRUCE_STAY_ELECTIONS * this.#scenario.settings.electionMs;
    await world.run({ forMs: stayMs });
    const deposals = elections() - before;
    if (deposals <= TRUCE_DEPOSALS_MAX) return;
    const detail = `${deposals} elections within ${stayMs} ms, after there was a leader whom a majority followed`;
    this.#cluster.violate("heals in time", detail);
  }

  async #write(): Promise<void> {
    const [input] = this.#scenario.probes;
    if (input === undefined || this.#cluster.violation !== undefined) return;
    const call = (): CalledOperation<Input> => {
      const reached = this.#reach[this.#cluster.leader?.number ?? 0] ?? [];
      const member = reached[this.#turn++ % reached.length]?.number ?? 0;
      return this.#clients.call({ client: 0, member, input });
    };
    let called = call();
    await this.#within("a write from one whom the leader reaches both ways", () => {
      if (called.outcome === "failed" || called.outcome === "unknown") called = call();
      return called.outcome === "completed";
    });
  }

  async #within(what: string, holds: () => boolean): Promise<void> {
    const { members, world } = this.#cluster;
    const endMs = world.nowMs + this.#limitMs;
    await this.#healing.within(
      this.#limitMs,
      `${what}, with some ways blocked`,
      () => holds() || (world.nowMs >= endMs && !isFormed(members)),
    );
  }

  /** A leader whom all follow that it reaches both ways, a majority with it. */
  #settled(): SimulatedMember<Machine> | undefined {
    return this.#cluster.members.find(({ number, record: { leads, memberId, term } }) => {
      const reached = this.#reach[number] ?? [];
      const isFollowed = reached.every(({ node }) => {
        const raft = node.program?.raft;
        return raft !== undefined && raft.leader === memberId && raft.term === term;
      });
      return leads && isFollowed && this.#isMajority(reached.length);
    });
  }

  /** Whether anybody would get a majority of votes by its log. Of one that is starting it is not known. */
  #mayBeElected(): boolean {
    const { members } = this.#cluster;
    if (members.some(({ node }) => node.program?.raft === undefined)) return true;
    return members.some(({ number, record }) => {
      const voters = (this.#reach[number] ?? []).filter((other) => !isNewer(other.record.logEnd, record.logEnd));
      return this.#isMajority(voters.length);
    });
  }

  #isMajority(count: number): boolean {
    return count * 2 > this.#cluster.members.length;
  }

  /** Whether heartbeats come in time always: a follower that misses some may campaign. */
  #isPrompt(): boolean {
    const { settings, network } = this.#scenario;
    const latestUs = network.tailUs[1] + (network.slowMembers.length > 0 ? network.slowByUs : 0);
    return settings.electionMs * 1_000 >= TRUCE_LATENESSES * latestUs + settings.heartbeatMs * 1_000;
  }
}

/** Raft §5.4.1. */
function isNewer(a: LogEnd, b: LogEnd): boolean {
  return a.term > b.term || (a.term === b.term && a.index > b.index);
}

type LogEnd = SimulatedMember["record"]["logEnd"];
