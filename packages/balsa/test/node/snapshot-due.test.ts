import { expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

test("F2 what is applied while a snapshot is taken leads to the next one, though nothing comes after it", async () => {
  // One entry at a time is applied: the first snapshot is due long before the last of them.
  const settings = { snapshotLogEntries: 10, keepEntries: 0, tuning: { committedBytesMax: 1 } };
  const cluster = new SimulatedCluster({ seed: "due again" }, settings);
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  await world.run({ forMs: 1_000 });
  const commands = Array.from({ length: 100 }, () => cluster.propose(leader));
  await world.run({ until: () => commands.every((command) => cluster.acknowledged.has(command)) });
  await world.run({ forMs: 2_000 });
  for (const node of cluster.nodes) {
    const { lastIndex, snapshotIndex } = node.running.raft.status();
    expect(lastIndex).toBeGreaterThan(100);
    expect(lastIndex - snapshotIndex).toBeLessThan(10);
  }
});
