import type { StateMachine } from "../node/index.js";
import { BlockedLinks } from "./blocked-links.js";
import type { Clients } from "./clients.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import type { BlockedWay } from "./fault.js";
import { Healing } from "./healing.js";
import { TRUCE_ELECTIONS, TRUCE_MS } from "./limits.js";
import type { Scenario, Truce } from "./scenario.js";

/**
 * How peace begins where the scenario has a truce: a minority is cut off still, each of them from everybody, but for one
 * that may reach one of the majority. The majority, who all reach each other, must elect one of their own and take a write, whatever those who are
 * away say and wherever the longest log is.
 */
export async function keepTruce<Machine extends StateMachine, State, Input, Output>(
  cluster: SimulatedCluster<Machine>,
  clients: Clients<Machine, State, Input, Output>,
  { truce, settings, probes, steps, spares = 0 }: Scenario,
  there: string | undefined,
): Promise<void> {
  const hasFirstMembers = spares === 0 && !steps.some((step) => step.kind === "fault" && "by" in step.fault);
  // Who is damaged, or was never there, depends on all the others.
  const isSound = cluster.members.every(({ isRotten, record }) => !isRotten && record.hasTakenPart && !record.isComing);
  if (truce === undefined || cluster.violation !== undefined || !hasFirstMembers || !isSound) return;
  if (truce.blocked !== undefined) {
    await keepTopology(cluster, clients, truce.blocked, { settings, probes });
    return;
  }
  const { away, rest } = part(cluster, truce, there);
  if (away.length === 0) return;
  const links = new BlockedLinks(cluster.world.network);
  for (const [at, out] of away.entries()) {
    for (const other of cluster.members) {
      if (other === out || (at === 0 && other.number === truce.bridge)) continue;
      links.block(out.name, other.name);
      links.block(other.name, out.name);
    }
  }
  const names = away.map(({ name }) => name).join();
  cluster.world.note(
    `truce without ${names}${truce.bridge === undefined ? "" : `, whom m${truce.bridge + 1} reaches`}`,
  );
  cluster.coverage.count("truces");
  const healing = new Healing(cluster);
  const limitMs = TRUCE_MS + TRUCE_ELECTIONS * settings.electionMs;
  const within = (what: string, holds: () => boolean): Promise<void> => {
    const endMs = cluster.world.nowMs + limitMs;
    return healing.within(limitMs, what, () => holds() || (cluster.world.nowMs >= endMs && !isFormed(rest)));
  };
  await within(`a leader of all but ${names}`, () => agree(rest));
  const [write] = probes;
  if (cluster.violation === undefined && write !== undefined) {
    const call = () => clients.call({ client: 0, member: rest[0]?.number ?? 0, input: write });
    let called = call();
    await within(`a write without ${names}`, () => {
      if (called.outcome === "failed" || called.outcome === "unknown") called = call();
      return called.outcome === "completed";
    });
  }
  links.clear();
}

/**
 * Ways that are blocked, any of them. Where some majority all reach each other, both ways, a write must be taken from one
 * of them. Not from each: whoever leads may be none of them, as long as it reaches a majority both ways; then one of the
 * majority may hear nothing of it, and others keep it from being elected, as they hear of a leader (thesis §6.4).
 *
 * Why it can be asked for. A leader that does not hear from a majority steps down within an election timeout (check-quorum),
 * so whoever leads on commits. If nobody does, then the majority's members hear of no leader within a timeout more; what
 * others send them depose nobody and holds up no election for long: a pre-vote raises no term and is granted without
 * restarting the timer, and an append or heartbeat of a leader that is about to step down ends with it. One that is in a later term
 * makes them come to it at most once. Of the majority the one with the longest log gets all their votes.
 */
async function keepTopology<Machine extends StateMachine, State, Input, Output>(
  cluster: SimulatedCluster<Machine>,
  clients: Clients<Machine, State, Input, Output>,
  blocked: readonly BlockedWay[],
  { settings, probes }: Pick<Scenario, "settings" | "probes">,
): Promise<void> {
  const { members, world } = cluster;
  const [write] = probes;
  const majority = connectedMajority(members.length, blocked);
  if (majority === undefined || write === undefined) return;
  const links = new BlockedLinks(world.network);
  for (const [from, to] of blocked) {
    const [sender, receiver] = [members[from], members[to]];
    if (sender !== undefined && receiver !== undefined) links.block(sender.name, receiver.name);
  }
  const names = majority.map((number) => members[number]?.name).join();
  world.note(`truce in which ${names} reach each other`);
  cluster.coverage.count("truces");
  const limitMs = TRUCE_MS + TRUCE_ELECTIONS * settings.electionMs;
  const endMs = world.nowMs + limitMs;
  let turn = 0;
  const call = () => clients.call({ client: 0, member: majority[turn++ % majority.length] as number, input: write });
  let called = call();
  await new Healing(cluster).within(limitMs, `a write from one of ${names}, who reach each other`, () => {
    if (called.outcome === "failed" || called.outcome === "unknown") called = call();
    return called.outcome === "completed" || (world.nowMs >= endMs && !isFormed(members));
  });
  links.clear();
}

/** The most members that reach each other both ways, if they are more than half. */
export function connectedMajority(members: number, blocked: readonly BlockedWay[]): readonly number[] | undefined {
  const isOpen = (a: number, b: number): boolean =>
    !blocked.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
  let best: readonly number[] = [];
  for (let set = 0; set < 1 << members; set += 1) {
    const some = Array.from({ length: members }, (_, number) => number).filter((number) => (set >> number) & 1);
    const areConnected = some.length > best.length && some.every((a) => some.every((b) => a === b || isOpen(a, b)));
    if (areConnected) best = some;
  }
  return best.length * 2 > members ? best : undefined;
}

/** Those who are away, each once and less than half of all; and the rest. */
function part<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  truce: Truce,
  there: string | undefined,
): Record<"away" | "rest", readonly SimulatedMember<Machine>[]> {
  const { members } = cluster;
  const away = new Set<SimulatedMember<Machine>>();
  for (const target of truce.away) {
    const member = target === "there" ? members.find(({ name }) => name === there) : cluster.find(target);
    const isFree = member !== undefined && member.number !== truce.bridge;
    if (isFree && away.size * 2 + 2 < members.length) away.add(member);
  }
  return { away: [...away], rest: members.filter((member) => !away.has(member)) };
}

/**
 * Whether each has applied the records of who the first members are. Until then more than a majority may be needed: those
 * whose record is not applied do not count (node/cluster-members.ts, rule 1).
 */
function isFormed<Machine extends StateMachine>(members: readonly SimulatedMember<Machine>[]): boolean {
  return members.every(({ node }) => {
    return node.program?.raft?.status().members.every(({ incarnation }) => incarnation !== 0) ?? true;
  });
}

/** Whether all follow one of them. */
function agree<Machine extends StateMachine>(members: readonly SimulatedMember<Machine>[]): boolean {
  return members.some(({ record: { leads, memberId, term } }) => {
    return (
      leads &&
      members.every(({ node }) => {
        const raft = node.program?.raft;
        return raft !== undefined && raft.leader === memberId && raft.term === term;
      })
    );
  });
}
