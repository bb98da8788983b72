import { expect, test } from "vitest";
import type { PeerMessage } from "../../src/core/index.js";
import type { RaftNodeObserver } from "../../src/node/index.js";
import { SimulatedCluster } from "./simulated-cluster.js";

const nothing = (): void => {};

/** Keeps what members say about entries, and nothing else. */
class Talk implements RaftNodeObserver {
  appends = 0;
  answers = 0;
  readonly opened = nothing;
  readonly ready = nothing;
  readonly written = nothing;
  readonly applied = nothing;

  sending(messages: readonly PeerMessage[]): void {
    for (const { type } of messages) {
      if (type === "append") this.appends++;
      if (type === "append-response") this.answers++;
    }
  }
}

interface Case {
  readonly what: string;
  /** The newest version that these members speak; the others the newest there is. */
  readonly protocols: Readonly<Record<string, number>>;
  readonly answers: number;
}

test.each<Case>([
  { what: "all speak the newest version", protocols: {}, answers: 4 },
  { what: "one follower speaks the second version", protocols: { e: 2 }, answers: 5 },
  { what: "one follower speaks the first version", protocols: { e: 1 }, answers: 5 },
  { what: "the leader speaks the second version", protocols: { a: 2 }, answers: 8 },
])("C6 a write of five members at rest takes 8 appends and $answers answers where $what", async (given) => {
  const talk = new Talk();
  const names = ["a", "b", "c", "d", "e"];
  const formats = (name: string): object => ({ formats: { protocol: given.protocols[name] } });
  const settings = (name: string): object => ({ ...formats(name), observer: talk });
  const cluster = new SimulatedCluster({ seed: "five at rest" }, settings, names);
  const { world } = cluster;
  const first = await cluster.untilLeader();
  await world.run({ forMs: 1_000 });
  if (first.name !== "a") await world.settle(first.running.raft.transferLeadership(cluster.idOf("a")));
  const leader = cluster.node("a");
  expect(cluster.leader).toBe(leader);
  await cluster.untilAgreed();
  await world.run({ forMs: 1_000 });
  for (let write = 0; write < 10; write++) {
    [talk.appends, talk.answers] = [0, 0];
    const command = cluster.propose(leader);
    await world.run({ forMs: 150 });
    expect([talk.appends, talk.answers]).toEqual([8, given.answers]);
    expect(cluster.acknowledged.has(command)).toBe(true);
    for (const { running } of cluster.nodes) {
      expect(running.journal.lines).toHaveLength(write + 1);
      expect(running.raft.status()).toMatchObject({ commit: running.raft.status().lastIndex });
    }
  }
});
