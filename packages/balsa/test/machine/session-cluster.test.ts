import { expect, test } from "vitest";
import { BalsaError } from "../../src/core/index.js";
import { Session, type SessionMember, withSessions } from "../../src/machine/index.js";
import { RaftNode } from "../../src/node/index.js";
import { World, type WorldNode } from "../../src/sim/index.js";
import { bytesOf, Tally, textOf } from "./tally.js";

interface Member {
  readonly raft: RaftNode;
  readonly tally: Tally;
  close(): Promise<void>;
}

const NAMES = ["a", "b", "c"];

function start(seed: string): { world: World; nodes: readonly WorldNode<Member>[] } {
  const world = new World({ seed, trace: "hash" });
  const members = NAMES.map((name) => ({ name, address: `${name}:1` }));
  const nodes = NAMES.map((name) =>
    world.addNode<Member>(name, async (platform) => {
      const tally = new Tally();
      const raft = await RaftNode.open({
        ...{ platform, dir: "/data", name, listen: `${name}:1`, stateMachine: withSessions(tally) },
        cluster: { bootstrap: { id: "sessions", members } },
        // Whoever comes back comes back from a snapshot.
        ...{ snapshotLogEntries: 10, keepEntries: 2 },
      });
      return { raft, tally, close: () => raft.close() };
    }),
  );
  return { world, nodes };
}

/** A member as a client elsewhere sees it: whatever it was asked when it dies, nobody hears what became of it. */
class RemoteMember implements SessionMember {
  readonly clock: SessionMember["clock"];
  readonly #node: WorldNode<Member>;
  #lose: ((error: BalsaError) => void)[] = [];

  constructor(world: World, node: WorldNode<Member>) {
    this.#node = node;
    this.clock = {
      now: () => world.nowMs,
      setTimer: (delayMs, fire) => {
        let isCancelled = false;
        world.after(delayMs, "timer", () => {
          if (!isCancelled) fire();
        });
        return { cancel: () => (isCancelled = true) };
      },
    };
  }

  crash(): void {
    this.#node.crash();
    for (const lose of this.#lose) lose(new BalsaError("closed", "it died", { applied: "unknown" }));
    this.#lose = [];
  }

  propose: SessionMember["propose"] = (data, options) => {
    const raft = this.#node.program?.raft;
    if (raft === undefined) return Promise.reject(new BalsaError("closed", "it is down"));
    return new Promise((resolve, reject) => {
      this.#lose.push(reject);
      raft.propose(data, options).then(resolve, reject);
    });
  };
}

test("F1 F2 commands of a session take effect once while every member in turn dies under them, and each is answered", async () => {
  const { world, nodes } = start("turns");
  const members = nodes.map((node) => new RemoteMember(world, node));
  const answers: string[] = [];
  let ended = false;
  const run = async (): Promise<void> => {
    const session = await Session.open(members, { attemptMs: 200, timeoutMs: 20_000 });
    await Promise.all(
      ["x", "y", "z"].map(async (client) => {
        for (let i = 0; i < 30; i++) {
          const { result } = await session.propose(bytesOf(`${client}${i}`), { timeoutMs: 20_000 });
          answers.push(`${textOf(result)}:${client}${i}`);
          await new Promise<void>((resolve) => members[0]?.clock.setTimer(50, resolve));
        }
      }),
    );
    ended = true;
  };
  const running = run();
  for (let turn = 0; turn < 12; turn++) {
    await world.run({ forMs: 217 });
    members[turn % 3]?.crash();
    await world.run({ forMs: 90 });
    nodes[turn % 3]?.restart();
  }
  await world.run({ until: () => ended });
  await running;
  await world.run({
    until: () => nodes.every((node) => node.program?.tally.texts.length === 90),
  });
  const [first, ...others] = nodes.map((node) => node.running.tally.texts);
  for (const other of others) expect(other).toEqual(first);
  expect(new Set(first).size).toBe(90);
  // Each was told the place at which it took effect.
  expect(answers.toSorted()).toEqual((first ?? []).map((text, at) => `${at + 1}:${text}`).toSorted());
  expect(nodes.every((node) => node.running.raft.status().snapshotIndex > 1)).toBe(true);
});
