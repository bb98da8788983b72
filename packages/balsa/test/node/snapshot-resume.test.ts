import { expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

test("F3 a snapshot whose connection breaks on the way goes on where it was; appends go on all the while", async () => {
  const settings = { snapshotLogEntries: 100, keepEntries: 0, snapshotBytesPerSecond: 500_000 };
  const cluster = new SimulatedCluster({ seed: "resumed" }, settings);
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  await world.run({ forMs: 3_000 });
  const behind = cluster.nodes.find((node) => node !== leader)!;
  behind.crash();
  for (let i = 0; i < 300; i++) {
    const command = cluster.propose(leader, "x".repeat(4_000));
    await world.run({ until: () => cluster.acknowledged.has(command) });
  }
  // No more of them: once it is taken, the snapshot that is sent stays the newest.
  await world.run({ forMs: 500 });
  const { snapshotIndex } = leader.running.raft.status();
  behind.restart();
  await world.run({ forMs: 2_000 });
  expect(cluster.acknowledged.size).toBe(300);
  const beganMs = world.nowMs;
  world.network.reset(leader.name, behind.name);
  const command = cluster.propose(leader);
  await world.run({ until: () => cluster.acknowledged.has(command) });
  expect(world.nowMs - beganMs).toBeLessThan(50);
  await cluster.untilAgreed();
  expect(cluster.agreedJournal()).toHaveLength(301);
  expect(behind.running.raft.status().snapshotIndex).toBe(snapshotIndex);
  const received = world.trace.lines.filter((line) => line.includes("snapshot received"));
  expect(received).toHaveLength(1);
  const [, resumedAt = ""] = /resumedAt\W+(\d+)/.exec(received[0] ?? "") ?? [];
  expect(Number(resumedAt)).toBeGreaterThan(400_000);
});
