import { describe, expect, test } from "vitest";
import { RaftNode } from "../../src/node/index.js";
import { askWhoAreMembers } from "../../src/node/join.js";
import { World, type WorldNode } from "../../src/sim/index.js";
import { readLog, verifyDirectory } from "../../src/storage/index.js";
import { ImageFiles } from "../storage/image-files.js";
import { damageBatchHeads, flip, payloadOf, segmentsOf } from "./damage.js";
import { Journal, type Member, SimulatedCluster } from "./simulated-cluster.js";

const SETTINGS = { snapshotLogEntries: 1_000, keepEntries: 200 };

/** A cluster with some entries, all of them everywhere, and the member that is to be damaged stopped. */
async function withEntries(
  seed: string,
  count: number,
  settings: object = SETTINGS,
  names?: readonly string[],
): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ seed, trace: "hash" }, settings, names);
  const leader = await cluster.untilLeader();
  for (let i = 0; i < count; i++) {
    cluster.propose(leader);
    if (i % 10 === 9) await cluster.world.run({ forMs: 20 });
  }
  await cluster.untilAgreed();
  return cluster;
}

function follower(cluster: SimulatedCluster): WorldNode<Member> {
  const { leader } = cluster;
  const node = cluster.nodes.find((each) => each !== leader);
  if (node === undefined) throw new Error("no follower");
  return node;
}

/** Until nobody is under repair, and all agree; then what is on the disks is looked at. */
async function untilSound(cluster: SimulatedCluster): Promise<void> {
  await cluster.world.run({
    until: () =>
      cluster.up.length === cluster.nodes.length &&
      cluster.up.every((node) => node.running.raft.status().repair === undefined),
  });
  await cluster.untilAgreed();
  cluster.agreedJournal();
  for (const node of cluster.nodes) {
    await cluster.world.settle(node.stop());
    const report = await verifyDirectory(ImageFiles.of(node.disk, "/data"), "/data");
    expect(report).toMatchObject({ damages: [], lost: [], endKnown: true });
  }
}

/** Whether each repair of this life of the member has brought back all exactly. */
function exactness(node: WorldNode<Member>): readonly boolean[] {
  return node.running.events.flatMap((event) => (event.kind === "repaired" ? [event.exact] : []));
}

describe("a member whose log is damaged", () => {
  test("a flipped bit in the middle: the others go on, it is repaired exactly, and takes part again", async () => {
    const cluster = await withEntries("middle", 100);
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    const [path] = segmentsOf(node);
    flip(node, path, payloadOf(node, path, 50));
    node.restart();
    const leader = await cluster.untilLeader();
    for (let i = 0; i < 20; i++) cluster.propose(leader);
    await cluster.world.run({ until: () => node.program !== undefined });
    expect(node.running.raft.status().repair).toMatchObject({ lost: 1, endKnown: true });
    await cluster.world.run({ until: () => node.running.raft.status().repair === undefined });
    expect(cluster.acknowledged.size).toBe(120);
    expect(exactness(node)).toEqual([true]);
    await untilSound(cluster);
  });

  test("all three at different places: restored from each other, before there is a leader", async () => {
    const cluster = await withEntries("everywhere", 100);
    for (const node of cluster.nodes) await cluster.world.settle(node.stop());
    cluster.nodes.forEach((node, i) => {
      const [path] = segmentsOf(node);
      for (let n = 0; n < 10; n++) flip(node, path, payloadOf(node, path, 20 + i * 20 + n));
    });
    for (const node of cluster.nodes) node.restart();
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(100);
  });

  test("heads of batches in the middle: what was in them is found by the positions around", async () => {
    const cluster = await withEntries("heads", 100);
    for (const node of cluster.nodes) await cluster.world.settle(node.stop());
    cluster.nodes.slice(0, 2).forEach((node, i) => {
      damageBatchHeads(node, i === 0 ? 0.2 : 0.6, i === 0 ? 0.4 : 0.8);
    });
    for (const node of cluster.nodes) node.restart();
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(100);
  });

  test("the newest batches: the leader's log is adopted, once all have told their terms", async () => {
    const cluster = await withEntries("newest", 60);
    const node = follower(cluster);
    const other = cluster.nodes.find((each) => each !== node && each !== cluster.leader);
    await cluster.world.settle(node.stop());
    damageBatchHeads(node, 0, 1);
    if (other === undefined) throw new Error("no third member");
    node.restart();
    other.crash();
    await cluster.world.run({ forMs: 3_000 });
    // A vote in a term that only the silent one knows of may be among what is lost.
    expect(node.running.raft.status().repair?.waitsFor).toContain("all other members to tell their terms");
    other.restart();
    await cluster.world.run({ until: () => node.running.raft.status().repair === undefined });
    // Whom it voted for is not known.
    expect(exactness(node)).toEqual([false]);
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(60);
  });

  test("the newest batches of two of five: the terms of the other three will do, once both are there", async () => {
    const cluster = await withEntries("two of five", 60, SETTINGS, ["a", "b", "c", "d", "e"]);
    const [one, other] = cluster.nodes.filter((node) => node !== cluster.leader);
    if (one === undefined || other === undefined) throw new Error("no followers");
    for (const node of [one, other]) {
      await cluster.world.settle(node.stop());
      damageBatchHeads(node, 0, 1);
    }
    one.restart();
    await cluster.world.run({ forMs: 3_000 });
    // The silent one may be a candidate that has this one's vote.
    expect(one.running.raft.status().repair?.waitsFor).toContain(`silent: ${other.name}`);
    other.restart();
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(60);
  });

  test("the newest batches of two of three: they wait for each other, and say so", async () => {
    const cluster = await withEntries("two of three", 60);
    const [one, other] = cluster.nodes;
    if (one === undefined || other === undefined) throw new Error("no members");
    for (const node of [one, other]) {
      await cluster.world.settle(node.stop());
      damageBatchHeads(node, 0, 1);
      node.restart();
    }
    await cluster.world.run({ forMs: 20_000 });
    const waitsFor = (node: WorldNode<Member>) => node.running.raft.status().repair?.waitsFor;
    expect(waitsFor(one)).toContain(`without a term: ${other.name}`);
    expect(waitsFor(other)).toContain(`without a term: ${one.name}`);
  });

  test("a log that is taken over with two membership changes in it: the first of them is known to be committed", async () => {
    const cluster = await withEntries("two changes", 30);
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    damageBatchHeads(node, 0, 1);
    const { raft } = (await cluster.untilLeader()).running;
    const { id, index: first } = await cluster.world.settle(raft.addLearner({ name: "d", address: "d:2380" }));
    const { index: second } = await cluster.world.settle(raft.removeMember(id));
    let found: ReturnType<typeof readLog> | undefined;
    cluster.onEvent = (name, { kind }) => {
      if (name === node.name && kind === "repaired") found = readLog(node.disk.durableFiles(), "/data");
    };
    node.restart();
    await cluster.world.run({ until: () => found !== undefined });
    const { hardState, entries } = (await found)!;
    expect(entries.at(-1)?.index).toBe(second);
    expect(entries.find(({ index }) => index === hardState.commit)?.type).not.toBe("normal");
    expect(hardState.commit).toBe(first);
    await untilSound(cluster);
  });

  test("every segment gone: as much as is lost comes from the leader", async () => {
    const cluster = await withEntries("gone", 60);
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    for (const path of segmentsOf(node)) node.disk.remove(path);
    node.restart();
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(60);
  });

  test("a death right after a snapshot came: the next life goes on from it, in its term, and does not say that all is as it was", async () => {
    const cluster = await withEntries("came", 200, { snapshotLogEntries: 50, keepEntries: 10 });
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    for (const name of node.disk.list("/data/snapshots")) {
      const path = `/data/snapshots/${name}`;
      flip(node, path, 4);
    }
    const former = await cluster.untilLeader();
    former.crash();
    former.restart();
    await cluster.world.run({ until: () => cluster.leader !== undefined && cluster.up.length === 2 });
    for (let i = 0; i < 100; i++) cluster.propose(cluster.leader!);
    await cluster.world.run({ until: () => cluster.acknowledged.size === 300 });

    node.restart();
    await cluster.world.run({ until: () => (node.program?.raft.status().repair?.snapshotIndex ?? 0) > 0 });
    node.kill();
    node.restart();
    await cluster.world.run({ until: () => node.program !== undefined });
    expect(node.running.raft.status().repair).toMatchObject({ lost: 0, exact: false });
    // Alone, so that nobody tells it of their term.
    cluster.world.isolate(node.name);
    await cluster.world.run({ until: () => node.running.raft.status().repair === undefined });
    expect(exactness(node)).toEqual([false]);
    expect(node.running.raft.status().term).toBe(cluster.leader?.running.raft.status().term);
    cluster.world.network.heal();
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(300);
  });

  test("a snapshot's content: another member's takes its place", async () => {
    const cluster = await withEntries("snapshot", 200, { snapshotLogEntries: 50, keepEntries: 10 });
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    for (const name of node.disk.list("/data/snapshots")) {
      const path = `/data/snapshots/${name}`;
      flip(node, path, Math.floor(node.disk.open(path, "read").sizeBytes / 2));
    }
    node.restart();
    await cluster.world.run({ until: () => node.program !== undefined });
    expect(node.running.raft.status().repair?.damage).toMatch(
      /\.snapshot is damaged at offset 0, index \d+, term \d+: /,
    );
    await untilSound(cluster);
  });

  test("a segment's header, and a segment that is missing", async () => {
    const small = { ...SETTINGS, tuning: { segmentBytes: 4_096 } };
    const cluster = await withEntries("segments", 300, small);
    const followers = cluster.nodes.filter((each) => each !== cluster.leader);
    for (const [i, node] of followers.entries()) {
      await cluster.world.settle(node.stop());
      const paths = segmentsOf(node);
      expect(paths.length).toBeGreaterThan(3);
      const path = paths[paths.length >> 1] ?? "";
      if (i === 0) flip(node, path, 70);
      else node.disk.remove(path);
      node.restart();
      await cluster.world.run({ until: () => node.program !== undefined });
      expect(node.running.raft.status().repair).toMatchObject({ endKnown: true });
      await cluster.world.run({ until: () => node.running.raft.status().repair === undefined });
    }
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(300);
  });

  test("a sector that can't be read: only what is near it is lost", async () => {
    const cluster = await withEntries("sector", 100);
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    const [segment] = segmentsOf(node);
    const at = payloadOf(node, segment, 50);
    const place = node.disk.spoilSector(cluster.world.prng, ({ path, offset }) => path === segment && offset >= at);
    expect(place).toBeDefined();
    node.restart();
    await cluster.world.run({ until: () => node.program !== undefined });
    expect(node.running.raft.status().repair?.damage).toContain("it can't be read");
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(100);
  });

  test("what only it had, and nobody else, gives way to the leader's log; a later term than the leader's is learned", async () => {
    const cluster = await withEntries("alone", 50);
    const old = await cluster.untilLeader();
    cluster.world.isolate(old.name);
    // Durable here, and nowhere else.
    for (let i = 0; i < 5; i++) cluster.propose(old);
    await cluster.world.run({ forMs: 100 });
    await cluster.world.settle(old.stop());
    const [path] = segmentsOf(old);
    flip(old, path, payloadOf(old, path, 54));
    flip(old, path, payloadOf(old, path, 55));
    cluster.world.network.heal();
    old.restart();
    await untilSound(cluster);
    expect(cluster.acknowledged.size).toBe(50);
  });

  test("calls to it wait for the end of the repair, or for their own", async () => {
    const cluster = await withEntries("calls", 50);
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    const [path] = segmentsOf(node);
    flip(node, path, payloadOf(node, path, 30));
    cluster.world.isolate(node.name);
    node.restart();
    await cluster.world.run({ until: () => node.program !== undefined });
    const early = node.running.raft.read({ timeoutMs: 500 });
    await expect(cluster.world.settle(early)).rejects.toMatchObject({ code: "timeout", applied: "not-applied" });
    const patient = node.running.raft.read({ timeoutMs: 20_000 });
    await cluster.world.run({ forMs: 1_000 });
    cluster.world.network.heal();
    expect((await cluster.world.settle(patient)).index).toBeGreaterThan(50);
    await untilSound(cluster);
  });

  test("power fails again and again while it is repaired: it begins anew each time, and ends well", async () => {
    const cluster = await withEntries("again", 100);
    const node = follower(cluster);
    await cluster.world.settle(node.stop());
    const [path] = segmentsOf(node);
    for (let n = 0; n < 30; n++) flip(node, path, payloadOf(node, path, 20 + n));
    let calls = 0;
    let crashes = 0;
    for (let at = 1; ; at++) {
      calls = 0;
      node.disk.fault = () => {
        if (++calls === at) node.crash();
        return undefined;
      };
      node.restart();
      await cluster.world.run({
        until: () => !node.isUp || (node.program !== undefined && node.program.raft.status().repair === undefined),
      });
      if (node.isUp) break;
      crashes++;
    }
    node.disk.fault = undefined;
    expect(crashes).toBeGreaterThan(20);
    await untilSound(cluster);
  });
});

describe("a member that joined, and has no sound snapshot", () => {
  /** Stopped, with every snapshot damaged. */
  async function damaged() {
    const cluster = await withEntries("joined", 100, { snapshotLogEntries: 30, keepEntries: 5 });
    const { world } = cluster;
    const seeds = { join: ["a:2380", "b:2380", "c:2380"], voter: true };
    const node = cluster.add("d", seeds);
    await world.run({ until: () => node.program?.raft.status().members.length === 4 });
    await cluster.untilAgreed();
    await world.settle(node.stop());
    for (const name of node.disk.list("/data/snapshots")) flip(node, `/data/snapshots/${name}`, 50);
    return { cluster, node, seeds };
  }

  test("is told by those that it was told to join who the members are, and is repaired", async () => {
    const { cluster, node } = await damaged();
    node.restart();
    const damage = (): string | undefined => node.program?.raft.status().repair?.damage;
    await cluster.world.run({ until: () => damage() !== undefined });
    expect(damage()).toContain("/data/snapshots/");
    await cluster.world.run({ until: () => damage() === undefined });
    expect(cluster.raft("d").status().members).toEqual(cluster.raft("a").status().members);
    await untilSound(cluster);
  });

  test("does not start where the end of its log is lost as well: it can't know whom it may have voted for", async () => {
    const { cluster, node } = await damaged();
    cluster.mayRefuse = true;
    damageBatchHeads(node, 0, 1);
    node.restart();
    await cluster.world.run({ until: () => cluster.refused.has("d") });
    expect(cluster.refused.get("d")).toMatchObject({ code: "corrupt" });
    expect(cluster.refused.get("d")?.message).toContain("no other member is known that could have what is lost");
  });

  test("that was removed meanwhile is told so", async () => {
    const { cluster, node } = await damaged();
    cluster.mayRefuse = true;
    const { members } = cluster.raft("a").status();
    await cluster.world.settle(cluster.raft("a").removeMember(members.find(({ name }) => name === "d")?.id ?? 0));
    node.restart();
    await cluster.world.run({ until: () => cluster.refused.has("d") });
    expect(cluster.refused.get("d")?.code).toBe("removed");
  });
});

test("a directory that is not the one that the cluster knows takes nobody's place by asking who the members are", async () => {
  const cluster = await withEntries("another directory", 20);
  const { world } = cluster;
  const [node] = cluster.nodes.filter((each) => each !== cluster.leader);
  const { clusterId, memberId, name } = node!.running.raft.status();
  await world.settle(node!.stop());
  await world.run({ forMs: 3_000 });
  const before = cluster.leader?.running.raft.status().members;
  const self = { clusterId, memberId, incarnation: 12_345, group: 1, name };
  const seeds = before?.map(({ address }) => address) ?? [];
  let refusal: unknown;
  world.addNode("x", async (platform) => {
    await askWhoAreMembers(platform, self, seeds, `${name}:2380`).catch((error: unknown) => {
      refusal = error;
    });
    return { close: () => Promise.resolve() };
  });
  await world.run({ until: () => refusal !== undefined });
  expect(refusal).toMatchObject({ code: "identity-mismatch" });
  expect(cluster.leader?.running.raft.status().members).toEqual(before);
});

describe("a cluster of one", () => {
  async function alone(seed: string, settings: object): Promise<{ world: World; node: WorldNode<RaftNode> }> {
    const world = new World({ seed, trace: "hash" });
    const node = world.addNode("a", (platform) =>
      RaftNode.open({
        platform,
        dir: "/data",
        name: "a",
        listen: "a:2380",
        cluster: { bootstrap: { id: "alone", members: [{ name: "a", address: "a:2380" }] } },
        stateMachine: new Journal(),
        ...settings,
      }),
    );
    await world.run({ until: () => node.program?.status().role === "leader" });
    for (let i = 0; i < 100; i++) await world.settle(node.running.propose(Uint8Array.of(i)));
    await world.settle(node.stop());
    return { world, node };
  }

  test("refuses to start with a damaged log, and says file, offset, index, term and what can be done", async () => {
    const { world, node } = await alone("log", SETTINGS);
    const [path] = segmentsOf(node);
    flip(node, path, payloadOf(node, path, 50));
    node.restart();
    await expect(world.run({ forMs: 5_000 })).rejects.toThrow(
      /\.log is damaged at offset \d+, index 50, term 2: .*; no other member is known .*balsa wal repair \/data/,
    );
  });

  test("falls back from a damaged snapshot to the one before and the log", async () => {
    const { world, node } = await alone("snapshot", { snapshotLogEntries: 30, keepEntries: 5 });
    const names = node.disk.list("/data/snapshots");
    expect(names).toHaveLength(2);
    const path = `/data/snapshots/${names[1]}`;
    flip(node, path, node.disk.open(path, "read").sizeBytes - 60);
    node.restart();
    await world.run({ until: () => node.program !== undefined && node.running.status().repair === undefined });
    expect((await world.settle(node.running.read())).index).toBeGreaterThan(100);
    await world.settle(node.stop());
    expect(await verifyDirectory(ImageFiles.of(node.disk, "/data"), "/data")).toMatchObject({ damages: [], lost: [] });
  });
});
