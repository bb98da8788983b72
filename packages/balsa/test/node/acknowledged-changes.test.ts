import { expect, test } from "vitest";
import { loseUnsynced } from "../../src/sim/index.js";
import { SimulatedCluster } from "./simulated-cluster.js";

const SEED = process.env["BALSA_SEED"] ?? "1";

test.each(["demote", "remove"] as const)(
  "E1 of two voters one is to %s the other: once that is acknowledged it needs it no more, though it loses power right then",
  async (kind) => {
    for (let round = 0; round < 5; round++) {
      const cluster = new SimulatedCluster({ seed: `${kind} ${SEED} ${round}` }, {}, ["a", "b"]);
      const { world } = cluster;
      const leader = await cluster.untilLeader();
      await cluster.untilAgreed();
      const other = cluster.nodes.find((node) => node !== leader)!;
      const id = other.running.raft.status().memberId;
      const { raft } = leader.running;
      const acknowledged = kind === "demote" ? raft.demoteMember(id) : raft.removeMember(id);
      await world.settle(acknowledged);
      // All that is not synced is lost, and the other machine does not come back.
      leader.crash({ disk: loseUnsynced });
      if (other.isUp) other.crash();
      cluster.nodes.splice(cluster.nodes.indexOf(other), 1);
      leader.restart();
      await world.run({ until: () => cluster.leader === leader, limitMs: 10_000 });
      expect(leader.running.raft.status().members.filter(({ role }) => role === "voter")).toHaveLength(1);
    }
  },
);
