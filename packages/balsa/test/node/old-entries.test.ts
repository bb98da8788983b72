import { describe, expect, test } from "vitest";
import type { RaftNodeEvent } from "../../src/node/index.js";
import { SimulatedCluster } from "./simulated-cluster.js";

/** A few entries at the most: everything older is read back from disk. */
const TIGHT = { snapshotLogEntries: 100_000, logCacheBytes: 2_000 };

/** Commands one after the other, each acknowledged. Gives the longest that one took. */
async function write(cluster: SimulatedCluster, count: number): Promise<number> {
  const { world } = cluster;
  let longestMs = 0;
  for (let i = 0; i < count; i++) {
    const { leader } = cluster;
    if (leader === undefined) throw new Error("the leader is gone");
    const beganMs = world.nowMs;
    const command = cluster.propose(leader);
    await world.run({ until: () => cluster.acknowledged.has(command) });
    longestMs = Math.max(longestMs, world.nowMs - beganMs);
  }
  return longestMs;
}

describe("entries that are not in memory", () => {
  test("B2 a follower that was away long catches up from the leader's disk, while the others go on", async () => {
    const cluster = new SimulatedCluster({ seed: "far behind" }, TIGHT);
    const leader = await cluster.untilLeader();
    await cluster.world.run({ forMs: 3_000 });
    const behind = cluster.nodes.find((node) => node !== leader)!;
    behind.crash();
    await write(cluster, 400);
    const usualMs = await write(cluster, 100);
    behind.restart();
    // Until it has caught up with what there was.
    const meanwhileMs = await write(cluster, 100);
    expect(meanwhileMs).toBeLessThan(usualMs * 3 + 10);
    await cluster.untilAgreed();
    expect(cluster.leader).toBe(leader);
    expect(cluster.agreedJournal()).toHaveLength(600);
    for (const node of cluster.nodes) expect(node.running.raft.status().snapshotIndex).toBe(1);
  });

  test("F4 after a restart the state machine is brought up to date from disk", async () => {
    const cluster = new SimulatedCluster({ seed: "streamed" }, TIGHT);
    await cluster.untilLeader();
    await write(cluster, 300);
    await cluster.untilAgreed();
    for (let i = 0; i < 3; i++) {
      for (const node of cluster.nodes) node.crash();
      for (const node of cluster.nodes) node.restart();
      await cluster.world.run({ until: () => cluster.up.length === 3, limitMs: 5_000 });
      await cluster.untilLeader();
      await cluster.untilAgreed();
    }
    expect(cluster.agreedJournal()).toHaveLength(300);
  });

  test("F2 the log before the snapshot serves followers after a restart, too: no snapshot is sent", async () => {
    const settings = { snapshotLogEntries: 100, keepEntries: 200, logCacheBytes: 2_000 };
    const cluster = new SimulatedCluster({ seed: "kept" }, settings);
    const leader = await cluster.untilLeader();
    await cluster.world.run({ forMs: 3_000 });
    const behind = cluster.nodes.find((node) => node !== leader)!;
    await write(cluster, 180);
    await cluster.untilAgreed();
    behind.crash();
    const { applied } = leader.running.raft.status();
    await write(cluster, 130);
    for (const node of cluster.up) {
      expect(node.running.raft.status().snapshotIndex).toBeGreaterThan(applied);
      node.crash();
    }
    for (const node of cluster.nodes) node.restart();
    await cluster.world.run({ until: () => cluster.up.length === 3, limitMs: 5_000 });
    const events: RaftNodeEvent[] = [];
    cluster.onEvent = (_node, event) => events.push(event);
    await cluster.untilLeader();
    await cluster.untilAgreed();
    expect(cluster.agreedJournal()).toHaveLength(310);
    expect(events.some(({ kind }) => kind === "leader-changed")).toBe(true);
    expect(events.filter(({ kind }) => kind === "snapshot-restored")).toEqual([]);
  });

  test("F1 a damaged entry that is read back stops the member, which says where; its next start repairs it", async () => {
    const cluster = new SimulatedCluster({ seed: "rotten" }, TIGHT);
    const leader = await cluster.untilLeader();
    await cluster.world.run({ forMs: 3_000 });
    const behind = cluster.nodes.find((node) => node !== leader)!;
    behind.crash();
    await write(cluster, 200);
    rot(leader.disk, new TextEncoder().encode("c100"));
    const failures: RaftNodeEvent[] = [];
    cluster.onEvent = (node, event) => {
      if (event.kind === "failed" && node === leader.name) failures.push(event);
    };
    behind.restart();
    await cluster.world.run({ until: () => failures.length > 0 });
    const [failure] = failures;
    if (failure?.kind !== "failed") throw new Error("it did not fail");
    expect(failure.error.code).toBe("corrupt");
    expect(failure.error.message).toMatch(/\.log is damaged at offset \d+, index \d+, term \d+: an entry's checksum/);
    // The other two go on: one of them has the entry.
    await cluster.world.run({ until: () => cluster.leader !== undefined && cluster.leader !== leader });
    // And give it back when it starts again.
    leader.crash();
    leader.restart();
    await cluster.world.run({ forMs: 3_000 });
    await cluster.untilAgreed();
    expect(cluster.agreedJournal()).toHaveLength(200);
  });
});

/** A bit of these bytes rots, in whichever segment they are. */
function rot(disk: SimulatedCluster["nodes"][number]["disk"], wanted: Uint8Array): void {
  for (const name of disk.list("/data/log")) {
    const file = disk.open(`/data/log/${name}`, "read");
    const at = Buffer.from(file.read(0, file.sizeBytes)).indexOf(wanted);
    if (at === -1) continue;
    file.rot(at, 1);
    return;
  }
  throw new Error("they are in no segment");
}
