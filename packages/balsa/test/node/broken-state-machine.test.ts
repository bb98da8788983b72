import { describe, expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import type { Command, StateMachine } from "../../src/node/index.js";
import { Journal, SimulatedCluster } from "./simulated-cluster.js";

const thrown = new TypeError("no such account");

function broken(how: Partial<StateMachine>): StateMachine {
  const journal = new Journal();
  return {
    apply: (batch) => journal.apply(batch),
    snapshot: () => journal.snapshot(),
    restore: (content) => journal.restore(content),
    ...how,
  };
}

/** A member alone, with this state machine; what became of a command. */
async function propose(stateMachine: StateMachine) {
  const cluster = new SimulatedCluster({ seed: "broken" }, { stateMachine }, ["a"]);
  const leader = await cluster.untilLeader();
  const { raft, events } = leader.running;
  const outcome = raft.propose(new Uint8Array([1])).then(
    () => undefined,
    (error: unknown) => error as BalsaError,
  );
  await cluster.world.run({ forMs: 1_000 });
  return { error: await outcome, raft, events };
}

describe("F4 a state machine that breaks its contract stops its member, which says what it was", () => {
  test.each<[string, (batch: readonly Command[]) => unknown, RegExp]>([
    [
      "it throws",
      () => {
        throw thrown;
      },
      /apply of index \d+ threw: no such account/,
    ],
    ["it rejects", () => Promise.reject(thrown), /apply of index \d+ threw: no such account/],
    ["it gives too few results", () => [], /a Uint8Array for each command; index \d+: 0 results for 1/],
    ["it gives what is no bytes", () => ["done"], /a Uint8Array for each command/],
    ["it gives nothing", () => undefined, /a Uint8Array for each command; index \d+: no list of results/],
  ])("%s", async (_how, apply, message) => {
    const { error, raft, events } = await propose(broken({ apply: apply as StateMachine["apply"] }));
    expect(error).toBeInstanceOf(BalsaError);
    expect(error).toMatchObject({ code: "state-machine-failed", applied: "unknown", retryable: false });
    const failed = events.find((event) => event.kind === "failed");
    expect(failed?.error.message).toMatch(message);
    if (message.source.includes("threw")) expect(failed?.error.cause).toBe(thrown);
    expect(raft.status()).toMatchObject({ role: "follower", leader: 0, stopped: "state-machine-failed", progress: [] });
    expect(raft.leader).toBe(0);
    await expect(raft.propose(new Uint8Array([2]))).rejects.toMatchObject({ code: "state-machine-failed" });
  });
});

test("F2 a state machine whose snapshot throws goes on, and the log stays", async () => {
  const calls: number[] = [];
  const snapshot = (): never => {
    calls.push(1);
    throw thrown;
  };
  const cluster = new SimulatedCluster(
    { seed: "no snapshot" },
    { stateMachine: broken({ snapshot }), snapshotLogEntries: 5, keepEntries: 0 },
    ["a"],
  );
  const leader = await cluster.untilLeader();
  const commands = Array.from({ length: 50 }, () => cluster.propose(leader));
  await cluster.world.run({ until: () => commands.every((command) => cluster.acknowledged.has(command)) });
  await cluster.world.run({ forMs: 10_000 });
  // Tried again, but not at each entry.
  expect(calls.length).toBeGreaterThan(1);
  expect(calls.length).toBeLessThan(20);
  expect(leader.running.raft.status()).toMatchObject({ role: "leader", stopped: undefined, snapshotIndex: 1 });
});
