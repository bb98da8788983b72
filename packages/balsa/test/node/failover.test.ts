import { describe, expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

const SEED = process.env["BALSA_SEED"] ?? "1";

describe("E1 a leader that loses its vote without having handed over", () => {
  test.each([
    ["demoted", ["a", "b"]],
    ["demoted", ["a", "b", "c"]],
    ["removed", ["a", "b", "c"]],
  ] as const)("%s, of %s: another leads long before an election timeout", async (kind, names) => {
    for (let round = 0; round < 5; round++) {
      const cluster = new SimulatedCluster({ seed: `${kind} ${names.length} ${SEED} ${round}` }, {}, names);
      const { world } = cluster;
      const before = await cluster.untilLeader();
      await cluster.untilAgreed();
      const { raft } = before.running;
      const id = raft.status().memberId;
      const command = cluster.propose(before);
      // There is no time to hand over.
      const options = { timeoutMs: 500 };
      const asked = kind === "demoted" ? raft.demoteMember(id, options) : raft.removeMember(id, options);
      await world.settle(asked);
      const endedMs = world.nowMs;
      expect(raft.status().role).toBe("follower");
      await world.run({ until: () => cluster.leader !== undefined });
      expect(world.nowMs - endedMs).toBeLessThan(300);
      expect(cluster.acknowledged.has(command)).toBe(true);
      expect(cluster.leader!.running.raft.status().members).not.toContainEqual(
        expect.objectContaining({ id, role: "voter" }),
      );
    }
  });
});

test("E1 a leader that is to be demoted at once does not begin to hand over: the heir would depose it, and lose", async () => {
  for (let round = 0; round < 5; round++) {
    const far = { delayUs: () => 120_000 };
    const cluster = new SimulatedCluster({ seed: `at once ${SEED} ${round}`, network: far }, {}, ["a", "b"]);
    const { world } = cluster;
    const before = await cluster.untilLeader();
    await cluster.untilAgreed();
    const { raft } = before.running;
    const askedMs = world.nowMs;
    // Too little for the heir's answer.
    raft.demoteMember(raft.status().memberId, { timeoutMs: 150 }).catch(() => {});
    await world.run({ until: () => cluster.leader !== undefined && cluster.leader !== before });
    expect(world.nowMs - askedMs).toBeLessThan(1_000);
    const voters = cluster.leader!.running.raft.status().members.filter(({ role }) => role === "voter");
    expect(voters.map(({ name }) => name)).not.toContain(before.name);
  }
});

test("E1 handing over takes from the time that the caller of a change gives, and adds nothing to it", async () => {
  const cluster = new SimulatedCluster({ seed: `in time ${SEED}` });
  const { world } = cluster;
  const before = await cluster.untilLeader();
  await cluster.untilAgreed();
  // The others are there, and have not got the log on their disks for a long time.
  for (const node of cluster.up) if (node !== before) node.disk.slowness = 100_000;
  cluster.propose(before);
  await world.run({ forMs: 10 });
  const { raft } = before.running;
  const askedMs = world.nowMs;
  const asked = raft.demoteMember(raft.status().memberId, { timeoutMs: 4_000 });
  await expect(world.settle(asked)).rejects.toMatchObject({ code: "timeout" });
  expect(world.nowMs - askedMs).toBeLessThan(4_500);
});
