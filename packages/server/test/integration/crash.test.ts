import { afterEach, describe, expect, test } from "vitest";
import { Cluster, plainClient } from "./cluster.js";
import { verify, Writers } from "./writers.js";

const KILLS = 10;
const GAP_MS_MAX = 3_000;

const clusters: Cluster[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.remove();
});

async function startedCluster(flags: readonly string[] = []): Promise<Cluster> {
  const cluster = await Cluster.create(3, flags);
  clusters.push(cluster);
  await cluster.startAll();
  return cluster;
}

describe("real processes, killed", () => {
  test(`F1 D6 kill -9 of the leader under writes, ${KILLS} times: nothing lost, nothing twice, writes go on within 3 s`, async () => {
    const cluster = await startedCluster();
    const clients = [0, 1].map(() => plainClient(cluster.endpoints, 4_000));
    const writers = new Writers(clients, 4, "kill");
    await writers.nextAcknowledgement();
    const gapsMs: number[] = [];
    for (let round = 0; round < KILLS; round++) {
      const leader = await cluster.leader();
      await cluster.stop(leader, "SIGKILL");
      const killedMs = performance.now();
      gapsMs.push((await writers.nextAcknowledgement()) - killedMs);
      cluster.start(leader);
      await cluster.caughtUp();
    }
    await writers.stop();
    console.log(
      `writes went on after ${gapsMs.map(Math.round).join(", ")} ms; ${writers.acknowledged.size} acknowledged`,
    );
    expect(Math.max(...gapsMs), `gaps of ${gapsMs.map(Math.round).join(", ")} ms`).toBeLessThan(GAP_MS_MAX);
    expect(writers.acknowledged.size).toBeGreaterThan(KILLS);
    for (const member of cluster.members) {
      const verdict = await verify(member.client, "kill/", writers);
      expect(verdict).toMatchObject({ lost: [], wrong: [] });
    }
    for (const client of clients) client.close();
  });

  test("F1 kill -9 of all three at once: everything acknowledged is there after a restart", async () => {
    const cluster = await startedCluster();
    const client = plainClient(cluster.endpoints, 2_000);
    const writers = new Writers([client], 8, "all");
    for (let i = 0; i < 50; i++) await writers.nextAcknowledgement();
    await Promise.all(cluster.members.map((member) => cluster.stop(member, "SIGKILL")));
    await writers.stop();
    await cluster.startAll();
    const verdict = await verify((await cluster.leader()).client, "all/", writers);
    expect(verdict).toMatchObject({ lost: [], wrong: [] });
    expect(verdict.found).toBeGreaterThanOrEqual(50);
    client.close();
  });

  test("F2 F3 C8 a follower that was down while the log was compacted catches up by snapshot", async () => {
    const cluster = await startedCluster(["--snapshot-count", "200"]);
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader);
    if (follower === undefined) throw new Error("no follower");
    await cluster.stop(follower, "SIGKILL");
    const value = "x".repeat(1_000);
    for (let n = 0; n < 2_000; n += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, i) => leader.client.put(`snap/${n + i}`).value(value)));
    }
    cluster.start(follower);
    await cluster.caughtUp();
    expect(follower.output).toContain("snapshot restored");
    // Read from the follower's own state, not through the leader.
    const { count } = await follower.client.getAll().prefix("snap/").serializable(true).exec();
    expect(Number(count)).toBe(2_000);
  });
});
