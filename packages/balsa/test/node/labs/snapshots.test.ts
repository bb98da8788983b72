import { describe, expect } from "vitest";
import type { LabsCluster } from "./labs-cluster.js";
import { scenario } from "./seeds.js";

const SNAPSHOT_EVERY = 10;
/** Of a member that keeps up: the entries since its last snapshot, and what has come in while one is being written. */
const LOG_BYTES_MAX = 2_000;

const after = (cluster: LabsCluster, node: number, by: number): number => (node + by) % cluster.nodes.length;

/** Thirty rounds in which one member misses more than the others keep in their logs. */
async function rounds(cluster: LabsCluster, fault: "none" | "disconnect" | "crash"): Promise<void> {
  const { prng } = cluster.world;
  await cluster.one(cluster.command(), 3, true);
  for (let round = 0; round < 30; round++) {
    const leader = await cluster.oneLeader();
    // Every third time it is the leader that misses it.
    const victim = round % 3 === 2 ? leader : after(cluster, leader, 1);
    const sender = victim === leader ? after(cluster, leader, 1) : leader;
    if (fault === "disconnect") cluster.disconnect(victim);
    if (fault === "crash") cluster.crash(victim);
    if (fault !== "none") await cluster.one(cluster.command(), 2, true);

    const count = prng.between(5, 14);
    const places = Array.from({ length: count }, () => cluster.start(sender, cluster.command()));
    await cluster.world.settle(Promise.all(places));
    await cluster.one(cluster.command(), fault === "none" ? 3 : 2, true);
    await cluster.sleep(100);
    for (const node of cluster.reachable()) expect(cluster.status(node).logBytes).toBeLessThanOrEqual(LOG_BYTES_MAX);

    cluster.restart(victim);
    cluster.connect(victim);
    if (fault !== "none") {
      await cluster.one(cluster.command(), 3, true);
      await cluster.oneLeader();
    }
  }
  await cluster.allAgree();
}

describe("the labs: snapshots", () => {
  scenario("G snapshots, basic", { members: 3, snapshotEvery: SNAPSHOT_EVERY }, (cluster) => rounds(cluster, "none"));

  scenario("G installing snapshots after disconnects", { members: 3, snapshotEvery: SNAPSHOT_EVERY }, (cluster) =>
    rounds(cluster, "disconnect"),
  );

  scenario(
    "G installing snapshots after disconnects on an unreliable network",
    { members: 3, snapshotEvery: SNAPSHOT_EVERY, unreliable: true },
    (cluster) => rounds(cluster, "disconnect"),
  );

  scenario("G installing snapshots after crashes", { members: 3, snapshotEvery: SNAPSHOT_EVERY }, (cluster) =>
    rounds(cluster, "crash"),
  );

  scenario(
    "G installing snapshots after crashes on an unreliable network",
    { members: 3, snapshotEvery: SNAPSHOT_EVERY, unreliable: true },
    (cluster) => rounds(cluster, "crash"),
  );

  scenario(
    "G all crash five times: the index never goes back",
    { members: 3, snapshotEvery: SNAPSHOT_EVERY, unreliable: true },
    async (cluster) => {
      await cluster.one(cluster.command(), 3, true);
      let before = 0;
      for (let round = 0; round < 5; round++) {
        const count = SNAPSHOT_EVERY + 1;
        for (let i = 0; i < count; i++) before = await cluster.one(cluster.command(), 3, true);
        for (const node of [0, 1, 2]) cluster.crash(node);
        for (const node of [0, 1, 2]) cluster.restart(node);
        const index = await cluster.one(cluster.command(), 3, true);
        expect(index).toBeGreaterThan(before);
      }
    },
  );

  scenario("G two full crashes around one write", { members: 3, snapshotEvery: SNAPSHOT_EVERY }, async (cluster) => {
    await cluster.one(cluster.command(), 3, true);
    const crashAll = (): void => {
      for (const node of [0, 1, 2]) cluster.crash(node);
      for (const node of [0, 1, 2]) cluster.restart(node);
    };
    crashAll();
    await cluster.one(cluster.command(), 3, true);
    crashAll();
    await cluster.one(cluster.command(), 3, true);
    await cluster.allAgree();
  });
});
