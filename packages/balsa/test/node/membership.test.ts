import { describe, expect, test } from "vitest";
import type { Member as ClusterMember } from "../../src/node/index.js";
import { SimulatedCluster } from "./simulated-cluster.js";

const SEED = process.env["BALSA_SEED"] ?? "1";

/** Who votes, and who learns, as a member sees it. */
function roles(cluster: SimulatedCluster, name: string): string {
  const { members } = cluster.raft(name).status();
  const names = (role: string): string =>
    members
      .filter((member) => member.role === role)
      .map((member) => member.name)
      .toSorted()
      .join("");
  return `${names("voter")}/${names("learner")}`;
}

function memberOf(cluster: SimulatedCluster, by: string, name: string): ClusterMember | undefined {
  return cluster
    .raft(by)
    .status()
    .members.find((member) => member.name === name);
}

async function write(cluster: SimulatedCluster, count: number): Promise<void> {
  for (let i = 0, done = 0; done < count; i++) {
    const command = cluster.propose(cluster.up[i % cluster.up.length]!);
    await cluster.world.run({ until: () => cluster.acknowledged.has(command) || cluster.failed.has(command) });
    if (cluster.acknowledged.has(command)) done++;
  }
}

async function untilRoles(cluster: SimulatedCluster, by: string, expected: string): Promise<void> {
  await cluster.world.run({ until: () => cluster.node(by).program !== undefined && roles(cluster, by) === expected });
}

/** A member that is not the leader. */
async function aFollower(cluster: SimulatedCluster): Promise<string> {
  const leader = await cluster.untilLeader();
  return cluster.up.find((node) => node !== leader)!.name;
}

describe("E1 membership of a cluster in a simulated world", () => {
  test("a new cluster knows its members' incarnations before it takes a command", async () => {
    const cluster = new SimulatedCluster({ seed: `first ${SEED}` });
    await cluster.untilLeader();
    await write(cluster, 1);
    for (const node of cluster.up) {
      const recorded = node.running.raft.status().members.filter(({ incarnation }) => incarnation > 0);
      expect(recorded.length).toBeGreaterThanOrEqual(2);
    }
    await cluster.untilAgreed();
    const [first, ...others] = cluster.up.map((node) => node.running.raft.status().members);
    expect(first?.every(({ incarnation }) => incarnation > 0)).toBe(true);
    for (const other of others) expect(other).toEqual(first);
  });

  test("from one member to three to five, and back to one: asked for on any member, nothing lost on the way", async () => {
    const cluster = new SimulatedCluster({ seed: `grow ${SEED}` }, { snapshotLogEntries: 40, keepEntries: 5 }, ["a"]);
    const { world } = cluster;
    await cluster.untilLeader();
    await write(cluster, 100);
    for (const name of ["b", "c", "d", "e"]) {
      cluster.add(name, { join: cluster.up.map((node) => `${node.name}:2380`).toReversed(), voter: true });
      await untilRoles(
        cluster,
        name,
        `${"abcde"
          .split("")
          .filter((other) => other <= name)
          .join("")}/`,
      );
      await write(cluster, 10);
    }
    await cluster.untilAgreed();
    expect(cluster.agreedJournal()).toHaveLength(140);
    for (const name of ["a", "c", "b", "d"]) {
      const node = cluster.node(name);
      const by = cluster.up.at(-1)!.running.raft;
      await world.settle(by.removeMember(cluster.idOf(name)));
      await world.run({ until: () => node.running.events.some(({ kind }) => kind === "removed") });
      cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
      await write(cluster, 10);
    }
    expect(roles(cluster, "e")).toBe("e/");
    expect(cluster.agreedJournal()).toHaveLength(180);
  });

  test("a joined member's directory stands on its own: it reopens without `join`", async () => {
    const cluster = new SimulatedCluster({ seed: `reopen ${SEED}` });
    const { world } = cluster;
    await cluster.untilLeader();
    await write(cluster, 5);
    const d = cluster.add("d", { join: ["b:2380"] });
    await untilRoles(cluster, "d", "abc/d");
    await cluster.untilAgreed();
    const id = cluster.idOf("d");
    d.crash();
    d.restart(cluster.boot("d", undefined));
    await write(cluster, 5);
    await cluster.untilAgreed();
    expect(cluster.idOf("d")).toBe(id);
    expect(cluster.agreedJournal()).toHaveLength(10);
    await expect(world.settle(cluster.raft("d").read())).resolves.toMatchObject({ index: expect.any(Number) });
  });

  test("a member that its operator has added first is met with the ID that it was given", async () => {
    const cluster = new SimulatedCluster({ seed: `added ${SEED}` });
    const { world } = cluster;
    const follower = await aFollower(cluster);
    const { id } = await world.settle(cluster.raft(follower).addLearner({ name: "d", address: "d:2380" }));
    expect(memberOf(cluster, follower, "d")).toEqual({
      id,
      name: "d",
      address: "d:2380",
      role: "learner",
      incarnation: 0,
    });
    expect(id).toBeGreaterThanOrEqual(2 ** 52);
    cluster.add("d", { join: ["a:2380", "b:2380"] });
    await world.run({ until: () => cluster.node("d").program !== undefined });
    await cluster.untilAgreed();
    expect(cluster.idOf("d")).toBe(id);
    expect(memberOf(cluster, "d", "d")?.incarnation).toBeGreaterThan(0);
  });

  test("a learner is promoted only once it has caught up, and the refusal says how far it is", async () => {
    const cluster = new SimulatedCluster({ seed: `promote ${SEED}` }, { snapshotLogEntries: 100_000 });
    const { world } = cluster;
    const follower = await aFollower(cluster);
    const d = cluster.add("d", { join: ["a:2380", "b:2380", "c:2380"] });
    await untilRoles(cluster, follower, "abc/d");
    await world.run({ until: () => d.program !== undefined });
    await cluster.untilAgreed();
    d.crash();
    const pending: Promise<unknown>[] = [];
    for (let i = 0; i < 1_200; i++) pending.push(cluster.raft(follower).propose(Uint8Array.of(1)));
    await world.settle(Promise.all(pending));
    const id = memberOf(cluster, follower, "d")!.id;
    await expect(world.settle(cluster.raft(follower).promoteMember(id))).rejects.toMatchObject({
      code: "membership-refused",
      refusal: "not-caught-up",
      applied: "not-applied",
      message: expect.stringMatching(/d is to have the log to index 12\d\d, and it has \d+$/),
    });
    d.restart();
    await world.run({ until: () => d.program !== undefined });
    await cluster.untilAgreed();
    await world.settle(cluster.raft("d").promoteMember(id));
    expect(roles(cluster, "d")).toBe("abcd/");
  });

  test("a snapshot from before a member was added is made afresh for it", async () => {
    const cluster = new SimulatedCluster({ seed: `stale ${SEED}` }, { snapshotLogEntries: 50, keepEntries: 5 });
    const { world } = cluster;
    await cluster.untilLeader();
    await write(cluster, 120);
    const before = cluster.leader!.running.raft.status().snapshotIndex;
    cluster.add("d", { join: ["a:2380"] });
    await world.run({ until: () => cluster.node("d").program !== undefined });
    await cluster.untilAgreed();
    expect(cluster.raft("d").status().snapshotIndex).toBeGreaterThan(before);
    expect(cluster.agreedJournal()).toHaveLength(120);
  });

  test("a leader that is asked to remove itself hands over first, and the cluster goes on at once", async () => {
    const cluster = new SimulatedCluster({ seed: `leader out ${SEED}` });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    await write(cluster, 5);
    const beganMs = world.nowMs;
    await world.settle(leader.running.raft.leave());
    await world.run({ until: () => leader.running.events.some(({ kind }) => kind === "removed") });
    expect(world.nowMs - beganMs).toBeLessThan(1_000);
    await expect(world.settle(leader.running.raft.propose(Uint8Array.of(1)))).rejects.toMatchObject({
      code: "removed",
    });
    cluster.nodes.splice(cluster.nodes.indexOf(leader), 1);
    await write(cluster, 5);
    await cluster.untilAgreed();
    expect(cluster.leader!.running.raft.status().members).toHaveLength(2);
  });

  test("leadership goes to the member that is named, asked for on any", async () => {
    const cluster = new SimulatedCluster({ seed: `transfer ${SEED}` });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    await cluster.untilAgreed();
    const [to, by] = cluster.up.filter((node) => node !== leader);
    await world.settle(by!.running.raft.transferLeadership(to!.running.raft.status().memberId));
    await world.run({ until: () => cluster.leader === to });
    await world.settle(to!.running.raft.transferLeadership());
    await world.run({ until: () => cluster.leader !== undefined && cluster.leader !== to });
    const learner = cluster.add("d", { join: ["a:2380"] });
    await world.run({ until: () => learner.program !== undefined });
    await expect(world.settle(by!.running.raft.transferLeadership(cluster.idOf("d")))).rejects.toMatchObject({
      refusal: "not-a-voter",
    });
    await cluster.untilAgreed();
    const now = cluster.leader!;
    const away = cluster.up.find((node) => node !== now && node.name !== "d")!;
    const gone = away.running.raft.status().memberId;
    away.crash();
    await expect(world.settle(now.running.raft.transferLeadership(gone, { timeoutMs: 1_000 }))).rejects.toMatchObject({
      code: "timeout",
      applied: "unknown",
    });
    await write(cluster, 3);
  });

  test("D5 leadership that its caller did not wait for still goes over: nothing is written in between that the heir lacks", async () => {
    const cluster = new SimulatedCluster({ seed: `transfer unawaited ${SEED}` });
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    await cluster.untilAgreed();
    const heir = cluster.up.find((node) => node !== leader)!;
    const { term } = leader.running.raft.status();
    // Told to campaign, it hears of it long after the caller has gone.
    world.network.setLink(leader.name, heir.name, { delayUs: () => 400_000 });
    const transferred = leader.running.raft.transferLeadership(cluster.idOf(heir.name), { timeoutMs: 100 });
    await expect(world.settle(transferred)).rejects.toMatchObject({ code: "timeout", applied: "unknown" });
    const command = cluster.propose(leader);
    await world.run({ forMs: 900 });
    expect(cluster.leader).toBe(heir);
    expect(heir.running.raft.status().term).toBe(term + 1);
    expect(cluster.acknowledged.has(command)).toBe(true);
  });

  test("several changes at once pass through a joint configuration, which is left by itself", async () => {
    const cluster = new SimulatedCluster({ seed: `joint ${SEED}` });
    const { world } = cluster;
    const follower = await aFollower(cluster);
    for (const name of ["d", "e"]) cluster.add(name, { join: ["a:2380", "b:2380", "c:2380"] });
    await untilRoles(cluster, follower, "abc/de");
    await world.run({ until: () => cluster.up.length === 5 });
    await write(cluster, 5);
    await cluster.untilAgreed();
    await world.run({ forMs: 200 });
    const gone = cluster.up.filter((node) => node !== cluster.leader && "abc".includes(node.name));
    await world.settle(
      cluster.leader!.running.raft.changeMembers([
        { kind: "promote", id: cluster.idOf("d") },
        { kind: "promote", id: cluster.idOf("e") },
        ...gone.map((node) => ({ kind: "remove", id: node.running.raft.status().memberId }) as const),
      ]),
    );
    for (const node of gone) cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
    const left = cluster.nodes.map(({ name }) => name).toSorted();
    await untilRoles(cluster, "d", `${left.join("")}/`);
    expect(cluster.leader!.running.raft.status().members).toHaveLength(3);
    await write(cluster, 5);
    await cluster.untilAgreed();
  });

  test("a joint change whose leader dies midway is finished by the next one", async () => {
    const cluster = new SimulatedCluster({ seed: `joint crash ${SEED}` }, {}, ["a", "b", "c", "d", "e"]);
    const { world } = cluster;
    const leader = await cluster.untilLeader();
    await write(cluster, 4);
    const [first, second] = cluster.up.filter((node) => node !== leader);
    let joint = false;
    const outcome = leader.running.raft
      .changeMembers([
        { kind: "demote", id: first!.running.raft.status().memberId },
        { kind: "demote", id: second!.running.raft.status().memberId },
      ])
      .then(
        () => "done",
        () => "failed",
      );
    void outcome;
    // The change is in other logs, and its leader is gone before it is left.
    await world.run({
      until: () => {
        joint = cluster.up.some(
          (node) => node !== leader && node.running.raft.status().lastIndex > leader.running.raft.status().applied,
        );
        return joint;
      },
    });
    leader.crash();
    const names = (node: { readonly name: string } | undefined): string => node?.name ?? "";
    const learners = [names(first), names(second)].toSorted().join("");
    await world.run({ until: () => cluster.leader !== undefined });
    await write(cluster, 5);
    leader.restart();
    await world.run({ until: () => leader.program !== undefined });
    await cluster.untilAgreed();
    // Either it was never committed, or it is done on all: nobody is left in between.
    const seen = new Set(cluster.up.map((node) => roles(cluster, node.name)));
    expect(seen.size).toBe(1);
    expect([
      "abcde/",
      `${"abcde"
        .split("")
        .filter((name) => !learners.includes(name))
        .join("")}/${learners}`,
    ]).toContain([...seen][0]);
    cluster.agreedJournal();
  });

  test("a member moves to another address", async () => {
    const cluster = new SimulatedCluster({ seed: `address ${SEED}` });
    const { world } = cluster;
    const follower = await aFollower(cluster);
    await write(cluster, 3);
    const theirs = cluster.up.find((node) => node.name !== follower)!.name;
    const other = cluster.raft(theirs);
    await world.settle(other.updateMember(cluster.idOf(follower), `${follower}:2390`));
    const node = cluster.node(follower);
    await world.settle(node.stop());
    await write(cluster, 3);
    node.restart(cluster.boot(follower, undefined, `${follower}:2390`));
    await write(cluster, 3);
    await world.run({ until: () => node.program !== undefined });
    await cluster.untilAgreed();
    cluster.agreedJournal();
    expect(memberOf(cluster, follower, follower)?.address).toBe(`${follower}:2390`);
    await expect(world.settle(other.updateMember(cluster.idOf(follower), `${theirs}:2380`))).rejects.toMatchObject({
      code: "membership-refused",
    });
  });

  test("what cannot be, is refused before anything is proposed, with the reason", async () => {
    const cluster = new SimulatedCluster({ seed: `refusals ${SEED}` });
    const { world } = cluster;
    const follower = await aFollower(cluster);
    await write(cluster, 3);
    const raft = cluster.raft(follower);
    const refusal = async (change: Promise<unknown>): Promise<string> => {
      const error = await world.settle(
        change.then(
          () => undefined,
          (cause: unknown) => cause as { code: string; refusal?: string },
        ),
      );
      return error?.refusal ?? error?.code ?? "accepted";
    };
    const last = (): number => cluster.leader!.running.raft.status().lastIndex;
    await cluster.untilAgreed();
    const before = last();
    expect(await refusal(raft.removeMember(2 ** 52 + 5))).toBe("unknown-member");
    expect(await refusal(raft.addLearner({ name: "a", address: "d:2380" }))).toBe("duplicate-member");
    expect(await refusal(raft.addLearner({ name: "d", address: "a:2380" }))).toBe("duplicate-member");
    expect(await refusal(raft.addLearner({ name: "", address: "d:2380" }))).toBe("invalid-argument");
    expect(await refusal(raft.promoteMember(cluster.idOf("a")))).toBe("not-a-learner");
    expect(await refusal(raft.changeMembers([]))).toBe("invalid-argument");
    // Of callers without types.
    for (const id of ["b", "10", undefined, null, 1.5, -1, Number.NaN] as unknown as readonly number[]) {
      await expect(raft.removeMember(id)).rejects.toThrow(
        `a member's ID is a number, as status().members has it, not ${id}`,
      );
      expect(await refusal(raft.transferLeadership(id ?? Number.NaN))).toBe("invalid-argument");
    }
    const untyped = { name: 5, address: "d:2380" } as unknown as { name: string; address: string };
    await expect(raft.addLearner(untyped)).rejects.toThrow("a member's name is a text, not 5");
    const unknownKind = [{ kind: "replace", id: 1 }] as unknown as Parameters<typeof raft.changeMembers>[0];
    await expect(raft.changeMembers(unknownKind)).rejects.toThrow('no membership change is {"kind":"replace","id":1}');
    const all = raft.status().members.map(({ id }) => ({ kind: "remove", id }) as const);
    expect(await refusal(raft.changeMembers(all))).toBe("last-voter");
    // With one of three gone, the loss of another would leave one of two.
    const third = cluster.up.find((node) => node !== cluster.leader && node.name !== follower)!;
    third.crash();
    expect(await refusal(raft.removeMember(cluster.idOf(follower)))).toBe("quorum-at-risk");
    expect(last()).toBe(before);
    // The one that is gone may be removed.
    const gone = raft.status().members.find(({ name }) => name === third.name)!.id;
    await world.settle(raft.removeMember(gone));
    expect(await refusal(raft.removeMember(gone))).toBe("unknown-member");
  });

  test.each(["follower", "leader"])(
    "of a change that a %s was asked for, and that it has not seen through when it stops, nobody knows what becomes",
    async (asked) => {
      const cluster = new SimulatedCluster({ seed: `asked in vain ${SEED}` });
      const { world } = cluster;
      const leader = await cluster.untilLeader();
      await write(cluster, 3);
      const [first, second] = cluster.up.filter((node) => node !== leader);
      const by = asked === "leader" ? leader : first!;
      for (const { disk } of cluster.up) disk.slowness = 1_000;
      const change = by.running.raft.removeMember(cluster.idOf(second!.name)).then(
        () => "made",
        ({ applied }: { applied?: string }) => applied,
      );
      await world.run({ forMs: 50 });
      await world.settle(by.running.raft.close());
      expect(await world.settle(change)).toBe("unknown");
    },
  );

  test("a removed member that returns is told so, and stops", async () => {
    const cluster = new SimulatedCluster({ seed: `returns ${SEED}` });
    const { world } = cluster;
    const follower = await aFollower(cluster);
    await write(cluster, 3);
    const node = cluster.node(follower);
    const id = cluster.idOf(follower);
    node.crash();
    await world.settle(cluster.leader!.running.raft.removeMember(id));
    cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
    const { term } = cluster.leader!.running.raft.status();
    node.restart();
    await world.run({ until: () => node.program !== undefined });
    await world.run({ until: () => node.running.events.some(({ kind }) => kind === "removed") });
    await write(cluster, 3);
    expect(cluster.leader!.running.raft.status().term).toBe(term);
  });

  test("a member that was away while everybody else was exchanged is found and told by those it has never heard of", async () => {
    const cluster = new SimulatedCluster({ seed: `exchanged ${SEED}` }, { snapshotLogEntries: 30, keepEntries: 5 });
    const { world } = cluster;
    await cluster.untilLeader();
    await write(cluster, 5);
    const away = cluster.node(await aFollower(cluster));
    await world.settle(cluster.leader!.running.raft.demoteMember(away.running.raft.status().memberId));
    away.crash();
    const former = cluster.up.map(({ name }) => name);
    for (const name of ["d", "e", "f"]) {
      cluster.add(name, { join: former.map((other) => `${other}:2380`), voter: true });
      await untilRoles(
        cluster,
        name,
        `${[...former, "d", "e", "f"].filter((other) => former.includes(other) || other <= name).join("")}/${away.name}`,
      );
    }
    for (const name of former) {
      await write(cluster, 5);
      await world.settle(cluster.raft("d").removeMember(cluster.idOf(name)));
      const node = cluster.node(name);
      await world.run({ until: () => node.running.events.some(({ kind }) => kind === "removed") });
      cluster.nodes.splice(cluster.nodes.indexOf(node), 1);
      node.crash();
    }
    away.restart();
    await write(cluster, 5);
    await world.run({ until: () => away.program !== undefined });
    await cluster.untilAgreed();
    expect(roles(cluster, away.name)).toBe(`def/${away.name}`);
    cluster.agreedJournal();
  });

  test("a member that was removed while it was away is told so by those that listen now where it looks for former ones", async () => {
    const cluster = new SimulatedCluster({ seed: `other names ${SEED}` });
    const { world } = cluster;
    const away = cluster.node(await aFollower(cluster));
    await write(cluster, 3);
    const id = away.running.raft.status().memberId;
    away.crash();
    await world.settle(cluster.leader!.running.raft.removeMember(id));
    cluster.nodes.splice(cluster.nodes.indexOf(away), 1);
    const others = cluster.up.map(({ name }) => name);
    cluster.add("d", { join: others.map((name) => `${name}:2380`), voter: true });
    await untilRoles(cluster, "d", `${others.join("")}d/`);
    for (const name of others) {
      const node = cluster.node(name);
      await world.settle(cluster.raft("d").removeMember(cluster.idOf(name)));
      await world.run({ until: () => node.running.events.some(({ kind }) => kind === "removed") });
      node.crash();
      node.wipe();
      node.restart(cluster.boot(name, { join: ["d:2380"], voter: true }));
      await untilRoles(cluster, name, `${others.join("")}d/`);
    }
    // At the addresses that it knows.
    away.restart();
    await world.run({ until: () => away.program?.events.some(({ kind }) => kind === "removed") === true });
    expect(away.running.events.filter(({ kind }) => kind === "failed")).toEqual([]);
    await write(cluster, 3);
  });

  test("a voter that is removed stays until the other one can lead without it", async () => {
    let removals = 0;
    // Of two voters both store the removal of the leader, and only the leader knows that it is committed.
    for (let round = 0; round < 5; round++) {
      const cluster = new SimulatedCluster({ seed: `two ${SEED} ${round}` }, {}, ["a", "b"]);
      const { world } = cluster;
      const leader = await cluster.untilLeader();
      await write(cluster, 3);
      const other = cluster.nodes.find((node) => node !== leader)!;
      const id = leader.running.raft.status().memberId;
      const learnsOfNothing = (): boolean =>
        other.running.raft.status().lastIndex > leader.running.raft.status().applied;
      void leader.running.raft.removeMember(id, { force: true }).catch(() => {});
      await world.run({ until: () => learnsOfNothing() || leader.running.raft.status().members.length === 1 });
      // What the leader says from now on does not arrive; what it hears does.
      world.network.block(leader.name, other.name);
      await world.run({ forMs: 3_000 });
      world.network.heal();
      // Either the other one stored it, then it leads alone in the end; or it did not, and both go on.
      await world.run({ until: () => cluster.leader !== undefined, limitMs: 30_000 });
      await world.run({ forMs: 5_000 });
      if (roles(cluster, other.name) === `${other.name}/`) {
        removals++;
        await world.run({ until: () => leader.running.events.some(({ kind }) => kind === "removed") });
        cluster.nodes.splice(cluster.nodes.indexOf(leader), 1);
      }
      await write(cluster, 3);
      await cluster.untilAgreed();
    }
    expect(removals).toBeGreaterThan(0);
  });
});
