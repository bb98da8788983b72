import { describe, expect } from "vitest";
import type { LabsCluster } from "./labs-cluster.js";
import { scenario } from "./seeds.js";

/** The `by`th node after another, around. */
const after = (cluster: LabsCluster, node: number, by: number): number => (node + by) % cluster.nodes.length;

describe("the labs: agreement", () => {
  scenario("G basic agreement", { members: 3 }, async (cluster) => {
    let before = 0;
    for (let i = 0; i < 3; i++) {
      const command = cluster.command();
      expect(cluster.isApplied(command)).toBe(false);
      const index = await cluster.one(command, 3, false);
      expect(index).toBeGreaterThan(before);
      before = index;
    }
  });

  scenario("G bytes: each command travels to each peer once", { members: 3 }, async (cluster) => {
    await cluster.one(cluster.command(), 3, true);
    const before = cluster.sent.bytes;
    for (let i = 0; i < 10; i++) await cluster.one(cluster.command(5_000), 3, false);
    expect(cluster.sent.bytes - before).toBeLessThanOrEqual(3 * 50_000 + 50_000);
  });

  scenario("G follower failure", { members: 3 }, async (cluster) => {
    await cluster.one(cluster.command(), 3, true);
    const first = await cluster.oneLeader();
    cluster.disconnect(after(cluster, first, 1));
    await cluster.one(cluster.command(), 2, false);
    await cluster.sleep(1_000);
    await cluster.one(cluster.command(), 2, false);

    const second = await cluster.oneLeader();
    cluster.disconnect(after(cluster, second, 1));
    cluster.disconnect(after(cluster, second, 2));
    const lost = cluster.command();
    void cluster.start(second, lost);
    await cluster.sleep(2_000);
    expect(cluster.isApplied(lost)).toBe(false);
  });

  scenario("G leader failure", { members: 3 }, async (cluster) => {
    await cluster.one(cluster.command(), 3, true);
    cluster.disconnect(await cluster.oneLeader());
    await cluster.one(cluster.command(), 2, true);
    await cluster.sleep(1_000);
    await cluster.one(cluster.command(), 2, true);

    cluster.disconnect(await cluster.oneLeader());
    const lost = cluster.nodes.map((_, node) => {
      const command = cluster.command();
      void cluster.start(node, command);
      return command;
    });
    await cluster.sleep(2_000);
    for (const command of lost) expect(cluster.isApplied(command)).toBe(false);
  });

  scenario("G a follower that fails rejoins", { members: 3 }, async (cluster) => {
    await cluster.one(cluster.command(), 3, true);
    const cut = after(cluster, await cluster.oneLeader(), 1);
    cluster.disconnect(cut);
    for (let i = 0; i < 4; i++) await cluster.one(cluster.command(), 2, true);
    await cluster.sleep(1_000);
    await cluster.one(cluster.command(), 2, true);
    cluster.connect(cut);
    await cluster.one(cluster.command(), 3, true);
    await cluster.sleep(1_000);
    await cluster.one(cluster.command(), 3, true);
  });

  scenario("G no agreement without a quorum", { members: 5 }, async (cluster) => {
    await cluster.one(cluster.command(), 5, true);
    const leader = await cluster.oneLeader();
    const cut = [1, 2, 3].map((by) => after(cluster, leader, by));
    for (const node of cut) cluster.disconnect(node);
    const lost = cluster.command();
    const outcome = cluster.start(leader, lost, 2_000);
    await cluster.sleep(2_500);
    expect(cluster.isApplied(lost)).toBe(false);
    expect(await outcome).toBeUndefined();
    for (const node of cut) cluster.connect(node);
    await cluster.one(cluster.command(), 5, true);
  });

  scenario("G concurrent starts are committed in one term", { members: 3 }, async (cluster) => {
    for (let attempt = 0; ; attempt++) {
      expect(attempt, "the leader changes all the time").toBeLessThan(5);
      const leader = await cluster.oneLeader();
      const commands = Array.from({ length: 5 }, () => cluster.command());
      const places = Promise.all(commands.map((command) => cluster.start(leader, command)));
      const settled = await cluster.world.settle(places);
      const terms = new Set(settled.map((place) => place?.term));
      if (terms.size > 1 || terms.has(undefined)) continue;
      for (const command of commands) expect(cluster.isApplied(command)).toBe(true);
      break;
    }
  });

  scenario("G a stale leader rejoins: its entries lose", { members: 3 }, async (cluster) => {
    await cluster.one(cluster.command(), 3, true);
    const first = await cluster.oneLeader();
    cluster.disconnect(first);
    const lost = [1, 2, 3].map(() => cluster.command());
    for (const command of lost) void cluster.start(first, command);
    await cluster.one(cluster.command(), 2, true);

    const second = await cluster.oneLeader();
    cluster.disconnect(second);
    cluster.connect(first);
    await cluster.one(cluster.command(), 2, true);
    cluster.connect(second);
    await cluster.one(cluster.command(), 3, true);
    for (const command of lost) expect(cluster.isApplied(command)).toBe(false);
  });

  scenario("G backup over many divergent entries is fast", { members: 5 }, async (cluster) => {
    await cluster.one(cluster.command(), 5, true);
    for (let round = 0; round < 3; round++) {
      // Fifty entries that can't be committed, on a leader with one follower …
      const leader = await cluster.oneLeader();
      const alone = [leader, after(cluster, leader, 1)];
      const others = [2, 3, 4].map((by) => after(cluster, leader, by));
      for (const node of others) cluster.disconnect(node);
      for (let i = 0; i < 50; i++) void cluster.start(leader, cluster.command(), 3_000);
      await cluster.sleep(500);
      // … and fifty that are, among the other three.
      for (const node of alone) cluster.disconnect(node);
      for (const node of others) cluster.connect(node);
      const winner = await cluster.oneLeader();
      const places = Promise.all(Array.from({ length: 50 }, () => cluster.start(winner, cluster.command())));
      expect(await cluster.world.settle(places)).not.toContain(undefined);
      for (const node of alone) cluster.connect(node);
      await cluster.one(cluster.command(), 5, true);
    }
  });

  scenario("G message counts: election, agreement, idling", { members: 3 }, async (cluster) => {
    const leader = await cluster.oneLeader();
    expect(cluster.sent.messages).toBeGreaterThan(0);
    // Heartbeats since are no part of the election.
    expect(cluster.sent.messages).toBeLessThanOrEqual(30);
    const beforeAgreement = cluster.sent.messages;
    const places = Promise.all(Array.from({ length: 10 }, () => cluster.start(leader, cluster.command())));
    expect(await cluster.world.settle(places)).not.toContain(undefined);
    expect(cluster.sent.messages - beforeAgreement).toBeLessThanOrEqual(42);
    const beforeIdling = cluster.sent.messages;
    await cluster.sleep(1_000);
    expect(cluster.sent.messages - beforeIdling).toBeLessThanOrEqual(60);
  });
});
