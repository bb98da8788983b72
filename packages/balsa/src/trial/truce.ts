import type { StateMachine } from "../node/index.js";
import { BlockedLinks } from "./blocked-links.js";
import type { Clients } from "./clients.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import { isFormed } from "./formed.js";
import { Healing } from "./healing.js";
import { TRUCE_ELECTIONS, TRUCE_MS } from "./limits.js";
import type { Absence, Scenario } from "./scenario.js";
import { keepTopology } from "./topology-truce.js";

/**
 * How peace begins where the scenario has a truce: a minority is cut off still, each of them from everybody, but for one
 * that may reach one of the majority. The majority, who all reach each other, must elect one of their own and take a write, whatever those who are
 * away say and wherever the longest log is.
 */
export async function keepTruce<Machine extends StateMachine, State, Input, Output>(
  cluster: SimulatedCluster<Machine>,
  clients: Clients<Machine, State, Input, Output>,
  scenario: Scenario,
  there: string | undefined,
): Promise<void> {
  const { truce, settings, probes, steps, spares = 0 } = scenario;
  const hasFirstMembers = spares === 0 && !steps.some((step) => step.kind === "fault" && "by" in step.fault);
  // Who is damaged, or was never there, depends on all the others.
  const isSound = cluster.members.every(({ isRotten, record }) => !isRotten && record.hasTakenPart && !record.isComing);
  if (truce === undefined || cluster.violation !== undefined || !hasFirstMembers || !isSound) return;
  if ("blocked" in truce) {
    await keepTopology(cluster, clients, truce.blocked, scenario);
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

/** Those who are away, each once and less than half of all; and the rest. */
function part<Machine extends StateMachine>(
  cluster: SimulatedCluster<Machine>,
  truce: Absence,
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
