import { expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

test("F2 a member whose newest snapshot is damaged comes back with the one before and its log, without a word of a peer", async () => {
  const cluster = new SimulatedCluster({ seed: "fallback" }, { snapshotLogEntries: 50, keepEntries: 0 });
  const { world } = cluster;
  const leader = await cluster.untilLeader();
  for (let i = 0; i < 170; i++) {
    const command = cluster.propose(leader);
    await world.run({ until: () => cluster.acknowledged.has(command) });
  }
  await cluster.untilAgreed();
  await world.run({ forMs: 1_000 });
  const member = cluster.nodes.find((node) => node !== leader)!;
  const { lines } = member.running.journal;
  const { disk } = member;
  member.crash();
  const snapshots = disk.list("/data/snapshots");
  expect(snapshots).toHaveLength(2);
  const newest = disk.open(`/data/snapshots/${snapshots[1]}`, "read");
  newest.rot(newest.sizeBytes - 200, 5);
  world.isolate(member.name);
  member.restart();
  await world.run({
    until: () => member.program !== undefined && member.running.journal.lines.length >= lines.length - 1,
    limitMs: 5_000,
  });
  expect(disk.list("/data/set-aside")).toEqual([snapshots[1]]);
  // The commit index on disk may be a little behind; nothing else is.
  expect(lines.slice(0, member.running.journal.lines.length)).toEqual(member.running.journal.lines);
  world.network.heal();
  await cluster.untilAgreed();
  cluster.agreedJournal();
});
