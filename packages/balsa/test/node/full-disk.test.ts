import { expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

/** Full after a few hundred commands. */
const SMALL = { tuning: { segmentBytes: 16 * 1024 } };

/** Proposes at a node until something else than an acknowledgement comes of it; gives what. */
async function proposeUntilRefused(cluster: SimulatedCluster, at: SimulatedCluster["nodes"][number]): Promise<string> {
  for (let i = 0; i < 5_000; i++) {
    const command = cluster.propose(at);
    await cluster.world.run({ until: () => cluster.acknowledged.has(command) || cluster.failed.has(command) });
    const outcome = cluster.failed.get(command);
    if (outcome !== undefined) return `${cluster.codes.get(command)} ${outcome}`;
  }
  throw new Error("nothing was refused");
}

test("F4 a leader whose disk is full refuses proposals, its own and forwarded ones, while reads go on, and recovers by itself", async () => {
  const cluster = new SimulatedCluster({ seed: "a full disk" }, SMALL);
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  await world.run({ forMs: 1_000 });
  leader.disk.capacityBytes = leader.disk.usedBytes;
  expect(await proposeUntilRefused(cluster, leader)).toBe("disk-full not-applied");
  const acknowledged = cluster.acknowledged.size;
  expect(acknowledged).toBeGreaterThan(10);
  expect(await proposeUntilRefused(cluster, follower)).toBe("disk-full not-applied");
  expect(leader.running.raft.status().isDiskFull).toBe(true);
  expect(follower.running.raft.status().isDiskFull).toBe(false);
  expect(cluster.leader).toBe(leader);
  for (const node of [leader, follower]) {
    const { index } = await world.settle(node.running.raft.read());
    expect(index).toBeGreaterThanOrEqual(acknowledged);
  }
  // It may fail and come back without a byte free; another leads meanwhile, and takes proposals.
  leader.crash();
  await world.run({ until: () => cluster.leader !== undefined && cluster.leader !== leader });
  const meanwhile = cluster.propose(cluster.leader ?? follower);
  await world.run({ until: () => cluster.acknowledged.has(meanwhile) });
  leader.restart();
  await world.run({ until: () => leader.program !== undefined, forMs: 5_000 });
  expect(leader.program).toBeDefined();

  leader.disk.capacityBytes = Number.POSITIVE_INFINITY;
  await world.run({ until: () => !leader.running.raft.status().isDiskFull });
  const after = cluster.propose(leader);
  await world.run({ until: () => cluster.acknowledged.has(after) });
  await cluster.untilAgreed();
  cluster.agreedJournal();
});

test("F4 a follower whose disk is full is caught up when it has room", async () => {
  const cluster = new SimulatedCluster({ seed: "a full follower" }, SMALL);
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  const follower = cluster.nodes.find((node) => node !== leader) ?? leader;
  await world.run({ forMs: 1_000 });
  follower.disk.capacityBytes = follower.disk.usedBytes;
  for (let i = 0; i < 1_000; i++) {
    cluster.propose(leader);
    if (i % 10 === 0) await world.run({ forMs: 5 });
  }
  await world.run({ forMs: 2_000 });
  expect(cluster.acknowledged.size).toBe(1_000);
  expect(follower.running.raft.status().isDiskFull).toBe(true);
  expect(follower.running.raft.status().applied).toBeLessThan(leader.running.raft.status().applied);
  follower.disk.capacityBytes = Number.POSITIVE_INFINITY;
  await cluster.untilAgreed();
  await world.run({ until: () => !follower.running.raft.status().isDiskFull });
});
