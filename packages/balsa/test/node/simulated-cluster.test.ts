import { describe, expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

const SEED = process.env["BALSA_SEED"] ?? "1";

/** A crash of the leader, a restart, a partition that leaves the leader alone, and peace; writes all the while. */
async function story(seed: string): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ seed });
  const { world } = cluster;
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const node = cluster.up[world.prng.below(cluster.up.length)];
      if (node !== undefined) cluster.propose(node);
      await world.run({ forMs: world.prng.below(20) });
    }
  };

  const first = await cluster.untilLeader();
  await write(20);
  cluster.propose(first);
  first.crash();
  await write(20);
  const second = await cluster.untilLeader();
  expect(second).not.toBe(first);
  first.restart();
  await cluster.untilAgreed();

  const others = cluster.nodes.filter((node) => node !== second).map((node) => node.name);
  world.network.partition([second.name], others);
  await write(40);
  await world.run({ until: () => cluster.leader !== undefined && cluster.leader !== second });
  await write(10);
  world.network.heal();
  await world.run({ forMs: 6_000 });
  await cluster.untilAgreed();
  return cluster;
}

describe("three members in a simulated world, the code that ships", () => {
  test(`F1 D6 through a crash and a partition: nothing acknowledged is lost, and one seed gives one trace (seed ${SEED})`, async () => {
    const once = await story(SEED);
    const journal = once.agreedJournal();
    expect(once.acknowledged.size).toBeGreaterThan(40);
    const again = await story(SEED);
    expect(again.agreedJournal()).toEqual(journal);
    expect(again.world.trace.lines).toEqual(once.world.trace.lines);
    expect(again.world.trace.hash()).toBe(once.world.trace.hash());
    expect((await story(`${SEED} other`)).world.trace.hash()).not.toBe(once.world.trace.hash());
  });

  test("C3 a proposal at rest waits for no timer: one round trip and the syncs", async () => {
    const cluster = new SimulatedCluster({ seed: "at rest" });
    const leader = await cluster.untilLeader();
    await cluster.world.run({ forMs: 3_000 });
    const beganMs = cluster.world.nowMs;
    const command = cluster.propose(leader);
    await cluster.world.run({ until: () => cluster.acknowledged.has(command) });
    // Far below the heartbeat interval of 100 ms; the virtual network's and disk's own delays are a few ms.
    expect(cluster.world.nowMs - beganMs).toBeLessThan(20);
  });

  test("D6 a leader whose process dies is replaced well before an election timeout", async () => {
    const cluster = new SimulatedCluster({ seed: "fail over" });
    const leader = await cluster.untilLeader();
    await cluster.world.run({ forMs: 3_000 });
    const beganMs = cluster.world.nowMs;
    leader.crash();
    await cluster.world.run({ until: () => cluster.leader !== undefined });
    expect(cluster.world.nowMs - beganMs).toBeLessThan(500);
  });

  test("E3 a read at any member sees what was acknowledged before it was asked", async () => {
    const cluster = new SimulatedCluster({ seed: "reads" });
    const { world } = cluster;
    await cluster.untilLeader();
    for (let i = 0; i < 30; i++) {
      const command = cluster.propose(cluster.nodes[i % 3] ?? cluster.nodes[0]!);
      await world.run({ until: () => cluster.acknowledged.has(command) });
      const reader = cluster.nodes[(i + 1) % 3]!;
      const read = await world.settle(reader.running.raft.read());
      const place = cluster.acknowledged.get(command)!;
      expect(read.index).toBeGreaterThanOrEqual(place.index);
      expect(reader.running.journal.lines).toContain(`${place.index}:${command}`);
    }
  });

  test("E3 a leader cut off from its quorum answers no read", async () => {
    const cluster = new SimulatedCluster({ seed: "stale reads" });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    const others = cluster.nodes.filter((node) => node !== leader).map((node) => node.name);
    world.network.partition([leader.name], others);
    await expect(world.settle(leader.running.raft.read({ timeoutMs: 3_000 }))).rejects.toMatchObject({
      code: "timeout",
    });
  });

  test("F2 F3 C8 a member that was down while the log was compacted catches up by snapshot, and on from there", async () => {
    const cluster = new SimulatedCluster({ seed: "snapshot" }, { snapshotLogEntries: 50, keepEntries: 5 });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    const away = cluster.nodes.find((node) => node !== leader)!;
    away.crash();
    for (let i = 0; i < 300; i++) {
      const command = cluster.propose(leader);
      await world.run({ until: () => cluster.acknowledged.has(command) });
    }
    expect(leader.running.raft.status().snapshotIndex).toBeGreaterThan(200);
    away.restart();
    await world.run({ until: () => away.program !== undefined });
    await cluster.untilAgreed();
    expect(
      world.trace.lines.some((line) => line.includes(` ${away.name} `) && line.includes("snapshot restored")),
    ).toBe(true);
    const command = cluster.propose(away);
    await world.run({ until: () => cluster.acknowledged.has(command) });
    await cluster.untilAgreed();
    expect(cluster.agreedJournal()).toHaveLength(301);
    expect(away.running.raft.status().logBytes).toBeLessThan(50_000);
  });

  test("C8 a member that is ahead of the snapshot it is offered says so, and replication goes on", async () => {
    const cluster = new SimulatedCluster({ seed: "ahead" }, { snapshotLogEntries: 50, keepEntries: 5 });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    const ahead = cluster.nodes.find((node) => node !== leader)!;
    await cluster.untilAgreed();
    // It hears all, and none of its acknowledgements arrive; meanwhile the leader compacts its log past them.
    world.network.block(ahead.name, leader.name);
    for (let i = 0; i < 120; i++) {
      const command = cluster.propose(leader);
      await world.run({ until: () => cluster.acknowledged.has(command) });
    }
    const match = leader.running.raft
      .status()
      .progress.find(({ id }) => id === ahead.running.raft.status().memberId)?.match;
    expect(match).toBeLessThan(leader.running.raft.status().snapshotIndex);
    expect(ahead.running.raft.status().commit).toBeGreaterThanOrEqual(leader.running.raft.status().snapshotIndex);
    world.network.reset(leader.name, ahead.name);
    world.network.heal();
    const command = cluster.propose(leader);
    await world.run({ until: () => cluster.acknowledged.has(command) });
    await cluster.untilAgreed();
    expect(cluster.agreedJournal()).toHaveLength(121);
  });

  test("F1 all three crash at once, many times: everything acknowledged is there", async () => {
    const cluster = new SimulatedCluster({ seed: `all crash ${SEED}` }, { snapshotLogEntries: 20, keepEntries: 5 });
    const { world } = cluster;
    for (let round = 0; round < 8; round++) {
      await world.run({ until: () => cluster.up.length === 3 });
      const leader = await cluster.untilLeader();
      for (let i = 0; i < 30; i++) {
        cluster.propose(cluster.up[world.prng.below(3)] ?? leader);
        await world.run({ forMs: world.prng.below(6) });
      }
      for (const node of cluster.nodes) node.crash();
      await world.run({ forMs: 100 });
      for (const node of cluster.nodes) node.restart();
    }
    await world.run({ until: () => cluster.up.length === 3 });
    await cluster.untilAgreed();
    cluster.agreedJournal();
    expect(cluster.acknowledged.size).toBeGreaterThan(50);
  });

  test("a closed member answers every call, and its directory opens again", async () => {
    const cluster = new SimulatedCluster({ seed: "close" });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    const { raft } = leader.running;
    const pending = raft.propose(Uint8Array.of(1));
    const outcome = pending.then(
      () => "applied",
      (error: { code: string }) => error.code,
    );
    await world.settle(raft.close());
    expect(["applied", "closed"]).toContain(await world.settle(outcome));
    await expect(world.settle(raft.propose(Uint8Array.of(1)))).rejects.toMatchObject({ code: "closed" });
    await expect(world.settle(raft.read())).rejects.toMatchObject({ code: "closed" });
    await leader.stop();
    leader.restart();
    await world.run({ until: () => leader.program !== undefined });
    await cluster.untilAgreed();
  });
});
