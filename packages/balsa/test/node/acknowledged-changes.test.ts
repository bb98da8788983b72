import { expect, test } from "vitest";
import type { BalsaError } from "../../src/core/index.js";
import { loseUnsynced } from "../../src/sim/index.js";
import { SimulatedCluster } from "./simulated-cluster.js";

const SEED = process.env["BALSA_SEED"] ?? "1";

test.each(["demote", "remove"] as const)(
  "E1 of two voters one is to %s the other: once that is acknowledged it needs it no more, though it loses power right then",
  async (kind) => {
    for (let round = 0; round < 5; round++) {
      const cluster = new SimulatedCluster({ seed: `${kind} ${SEED} ${round}` }, {}, ["a", "b"]);
      const { world } = cluster;
      const leader = await cluster.untilLeader();
      await cluster.untilAgreed();
      const other = cluster.nodes.find((node) => node !== leader)!;
      const id = other.running.raft.status().memberId;
      const { raft } = leader.running;
      const acknowledged = kind === "demote" ? raft.demoteMember(id) : raft.removeMember(id);
      await world.settle(acknowledged);
      // All that is not synced is lost, and the other machine does not come back.
      leader.crash({ disk: loseUnsynced });
      if (other.isUp) other.crash();
      cluster.nodes.splice(cluster.nodes.indexOf(other), 1);
      leader.restart();
      await world.run({ until: () => cluster.leader === leader, limitMs: 10_000 });
      expect(leader.running.raft.status().members.filter(({ role }) => role === "voter")).toHaveLength(1);
    }
  },
);

test.each(["demote", "remove"] as const)(
  "E1 of four voters one is to %s another: once that is acknowledged the rest need neither of them, though all lose power right then",
  async (kind) => {
    for (let round = 0; round < 10; round++) {
      const cluster = new SimulatedCluster({ seed: `four ${kind} ${SEED} ${round}` }, {}, ["a", "b", "c", "d"]);
      const { world } = cluster;
      const leader = await cluster.untilLeader();
      await cluster.untilAgreed();
      const other = cluster.nodes.find((node) => node !== leader)!;
      const rest = cluster.nodes.filter((node) => node !== leader && node !== other);
      const id = other.running.raft.status().memberId;
      const { raft } = leader.running;
      await world.settle(kind === "demote" ? raft.demoteMember(id) : raft.removeMember(id));
      for (const node of cluster.nodes) if (node.isUp) node.crash({ disk: loseUnsynced });
      // The leader's machine is lost for good, and the other one was switched off, as it was not needed any more.
      cluster.nodes.splice(0, cluster.nodes.length, ...rest);
      for (const node of rest) node.restart();
      await world.run({ until: () => cluster.leader !== undefined, limitMs: 20_000 });
      await cluster.untilAgreed();
      expect(cluster.leader?.running.raft.status().members.filter(({ role }) => role === "voter")).toHaveLength(3);
    }
  },
);

test("E1 a change that is forced is acknowledged although of those that vote then no majority is there to know of it", async () => {
  const cluster = new SimulatedCluster({ seed: `forced ${SEED}` });
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  await cluster.untilAgreed();
  const [one, two] = cluster.nodes.filter((node) => node !== leader);
  const id = one!.running.raft.status().memberId;
  two!.crash();
  // Until it counts as out of reach.
  await world.run({ forMs: 3_000 });
  const { raft } = leader.running;
  await expect(world.settle(raft.removeMember(id, { timeoutMs: 20_000 }))).rejects.toMatchObject({
    code: "membership-refused",
  });
  await world.settle(raft.removeMember(id, { force: true }));
  expect(raft.status().members).toHaveLength(2);
});

test("E1 a change that was made, and whose leader is deposed before a majority is known to know of it, is said to be unknown", async () => {
  const cluster = new SimulatedCluster({ seed: `deposed ${SEED}` }, {}, ["a", "b", "c", "d"]);
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  await cluster.untilAgreed();
  const other = cluster.nodes.find((node) => node !== leader)!;
  const { raft } = leader.running;
  const before = raft.status();
  const outcome = raft.removeMember(other.running.raft.status().memberId, { timeoutMs: 60_000 }).then(
    () => "resolved",
    (error: BalsaError) => `${error.code} ${error.applied}`,
  );
  // Applied by the leader, and then it reaches nobody.
  await world.run({ until: () => raft.status().applied > before.applied });
  world.isolate(leader.name);
  await world.run({
    until: () => cluster.nodes.some((node) => node.program?.raft.status().role === "leader" && node !== leader),
  });
  world.network.heal();
  expect(await world.settle(outcome)).toMatch(/^(not-leader|superseded) unknown$/);
  await world.run({ until: () => raft.status().members.length === 3 });
});
