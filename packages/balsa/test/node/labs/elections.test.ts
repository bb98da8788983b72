import { describe, expect } from "vitest";
import { scenario } from "./seeds.js";

describe("the labs: elections", () => {
  scenario("G initial election: one leader, terms agree and stay", { members: 3 }, async (cluster) => {
    const leader = await cluster.oneLeader();
    await cluster.sleep(200);
    const term = cluster.oneTerm();
    expect(term).toBeGreaterThan(0);
    await cluster.sleep(2_000);
    expect(cluster.oneTerm()).toBe(term);
    expect(await cluster.oneLeader()).toBe(leader);
  });

  scenario("G re-election after a leader is cut off", { members: 3 }, async (cluster) => {
    const first = await cluster.oneLeader();
    cluster.disconnect(first);
    const second = await cluster.oneLeader();
    expect(second).not.toBe(first);

    // The old leader's return disturbs nobody.
    cluster.connect(first);
    await cluster.sleep(2_000);
    expect(await cluster.oneLeader()).toBe(second);

    // Without a quorum there is no leader.
    cluster.disconnect(second);
    cluster.disconnect((second + 1) % 3);
    await cluster.sleep(2_000);
    expect(cluster.leader()).toBeUndefined();

    cluster.connect((second + 1) % 3);
    await cluster.oneLeader();
    cluster.connect(second);
    await cluster.sleep(500);
    await cluster.oneLeader();
  });

  scenario("G many elections: nine rounds with three nodes cut off", { members: 7 }, async (cluster) => {
    await cluster.oneLeader();
    for (let round = 0; round < 9; round++) {
      const cut = cluster.world.prng.shuffled([0, 1, 2, 3, 4, 5, 6]).slice(0, 3);
      for (const node of cut) cluster.disconnect(node);
      await cluster.oneLeader();
      for (const node of cut) cluster.connect(node);
    }
    await cluster.oneLeader();
  });
});
