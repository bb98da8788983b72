import { describe, expect, test } from "vitest";
import { SimulatedCluster } from "./simulated-cluster.js";

const SEED = process.env["BALSA_SEED"] ?? "1";

function cluster(story: string, names?: readonly string[]): SimulatedCluster {
  const made = new SimulatedCluster({ seed: `${story} ${SEED}` }, { snapshotLogEntries: 40, keepEntries: 5 }, names);
  made.mayRefuse = true;
  return made;
}

async function write(cluster_: SimulatedCluster, count: number): Promise<void> {
  const { world } = cluster_;
  for (let i = 0; i < count; i++) {
    const command = cluster_.propose(cluster_.leader!);
    await world.run({ until: () => cluster_.acknowledged.has(command) });
  }
}

/** Until a member of that name is there anew, votes, and has caught up. */
async function untilBack(cluster_: SimulatedCluster, name: string, formerId: number): Promise<void> {
  await cluster_.world.run({
    until: () => {
      const status = cluster_.node(name).program?.raft.status();
      const self = status?.members.find(({ id }) => id === status.memberId);
      return self !== undefined && self.id !== formerId && self.role === "voter";
    },
    limitMs: 120_000,
  });
  await cluster_.untilAgreed();
}

describe("a member whose disk was lost, under its old identity", () => {
  test("F1 what it had acknowledged is not outvoted: nobody is elected without a member that has it, and it comes back as a learner first", async () => {
    const three = cluster("behind");
    const { world } = three;
    const leader = await three.untilLeader();
    await three.untilAgreed();
    const [wiped, behind] = three.up.filter((node) => node !== leader);
    world.isolate(behind!.name);
    await write(three, 20);
    const formerId = wiped!.running.raft.status().memberId;
    const known = leader.running.raft.status().members.find(({ id }) => id === formerId);
    leader.crash();
    wiped!.crash();
    wiped!.wipe();
    world.network.heal();
    wiped!.restart();
    // With its vote the member that is behind would be elected, and the twenty commands be lost.
    await world.run({ forMs: 20_000 });
    expect(three.leader).toBeUndefined();
    leader.restart();
    await untilBack(three, wiped!.name, formerId);
    expect(three.agreedJournal()).toHaveLength(20);
    const { members } = three.leader!.running.raft.status();
    expect(members).toHaveLength(3);
    expect(members.some(({ id }) => id === formerId)).toBe(false);
    expect(members.find(({ name }) => name === wiped!.name)?.incarnation).not.toBe(known?.incarnation);
  });

  test("F1 … nor where the others can't know better: the only one that never heard of it is no company to vote with", async () => {
    const three = cluster("never met");
    const { world } = three;
    await world.run({ until: () => three.up.length === 3 });
    // From the moment when all may take part, and before anybody has led.
    await world.run({ forMs: 300 });
    world.isolate("c");
    const leader = await three.untilLeader();
    expect(leader.name).not.toBe("c");
    await write(three, 5);
    const wiped = three.node(leader.name === "a" ? "b" : "a");
    const formerId = three.idOf(wiped.name);
    expect(three.raft("c").status().lastIndex).toBe(1);
    leader.crash();
    wiped.crash();
    wiped.wipe();
    world.network.heal();
    wiped.restart();
    await world.run({ forMs: 20_000 });
    expect(three.leader).toBeUndefined();
    leader.restart();
    // It learns while it runs that it is known otherwise, and stops; what supervises it starts it again.
    await world.run({ until: () => wiped.program?.events.some(({ kind }) => kind === "failed") === true });
    expect(wiped.running.events.find(({ kind }) => kind === "failed")).toMatchObject({
      error: { code: "identity-mismatch", message: expect.stringContaining("open this one again") },
    });
    wiped.crash();
    wiped.restart();
    await untilBack(three, wiped.name, formerId);
    expect(three.agreedJournal()).toHaveLength(5);
  });

  test("it is replaced while the others go on, and again when it is lost again; reopening needs nothing", async () => {
    const three = cluster("again and again");
    const { world } = three;
    await three.untilLeader();
    await write(three, 10);
    for (let round = 0; round < 3; round++) {
      const wiped = three.up.find((node) => node !== three.leader)!;
      const formerId = wiped.running.raft.status().memberId;
      wiped.crash();
      wiped.wipe();
      wiped.restart();
      await write(three, 10);
      await untilBack(three, wiped.name, formerId);
      wiped.crash();
      wiped.restart();
      await world.run({ until: () => wiped.program !== undefined });
      await three.untilAgreed();
      expect(three.agreedJournal()).toHaveLength(20 + round * 10);
    }
  });

  test("a restart at any moment of its return does no harm", async () => {
    const three = cluster("interrupted");
    const { world } = three;
    await three.untilLeader();
    await write(three, 60);
    const wiped = three.up.find((node) => node !== three.leader)!;
    const formerId = wiped.running.raft.status().memberId;
    wiped.crash();
    wiped.wipe();
    for (let round = 0; round < 30; round++) {
      wiped.restart();
      await world.run({ forMs: world.prng.below(400) });
      wiped.crash();
      await world.run({ forMs: 20 });
    }
    wiped.restart();
    await untilBack(three, wiped.name, formerId);
    await write(three, 10);
    await three.untilAgreed();
    expect(three.agreedJournal()).toHaveLength(70);
    expect(three.leader!.running.raft.status().members).toHaveLength(3);
  });

  // All that a first start does to its disk, a few calls at a time.
  test.each([10, 15, 20, 25, 30, 35, 40])(
    "a start as a first member that breaks off at its %sth call may go on as one that joins",
    async (calls) => {
      const three = cluster("bootstrap, then join");
      const { world } = three;
      await three.untilLeader();
      await write(three, 5);
      const wiped = three.up.find((node) => node !== three.leader)!;
      const formerId = wiped.running.raft.status().memberId;
      const join = three.up.filter((node) => node !== wiped).map(({ name }) => `${name}:2380`);
      wiped.crash();
      wiped.wipe();
      let left = calls;
      wiped.disk.fault = (): undefined => {
        left--;
        if (left === 0) wiped.crash();
      };
      wiped.restart();
      await world.run({ until: () => left <= 0 });
      wiped.disk.fault = undefined;
      wiped.restart(three.boot(wiped.name, { join, voter: true }));
      await untilBack(three, wiped.name, formerId);
      expect(three.leader!.running.raft.status().members).toHaveLength(3);
      expect(three.agreedJournal()).toHaveLength(5);
    },
  );

  test("of a member that was removed meanwhile the start is refused, and it says what to do", async () => {
    const three = cluster("removed");
    const { world } = three;
    await three.untilLeader();
    await write(three, 3);
    const wiped = three.up.find((node) => node !== three.leader)!;
    const id = wiped.running.raft.status().memberId;
    wiped.crash();
    await world.settle(three.leader!.running.raft.removeMember(id));
    wiped.wipe();
    wiped.restart();
    await world.run({ until: () => three.refused.has(wiped.name) });
    expect(three.refused.get(wiped.name)).toMatchObject({
      code: "removed",
      message: expect.stringContaining("cluster: { join }"),
    });
  });

  test("where all first members have left but it, those that came after them tell it; joining them is its way back", async () => {
    const three = cluster("all left");
    const { world } = three;
    const leader = await three.untilLeader();
    await write(three, 3);
    const wiped = three.up.find((node) => node !== leader)!;
    const seeds = three.up.map(({ name }) => `${name}:2380`);
    for (const name of ["d", "e"]) {
      const node = three.add(name, { join: seeds, voter: true });
      await world.run({
        until: () => node.program?.raft.status().members.some((m) => m.name === name && m.role === "voter") === true,
      });
    }
    const formerId = wiped.running.raft.status().memberId;
    for (const gone of three.nodes.filter((node) => "abc".includes(node.name) && node !== wiped)) {
      await world.settle(three.raft("d").removeMember(three.idOf(gone.name)));
      await world.run({ until: () => gone.running.events.some(({ kind }) => kind === "removed") });
      gone.crash();
      three.nodes.splice(three.nodes.indexOf(gone), 1);
    }
    wiped.crash();
    wiped.wipe();
    wiped.restart();
    await world.run({ until: () => wiped.program?.events.some(({ kind }) => kind === "failed") === true });
    wiped.crash();
    wiped.restart(three.boot(wiped.name, { join: ["d:2380", "e:2380"], voter: true }));
    await untilBack(three, wiped.name, formerId);
    expect(three.agreedJournal()).toHaveLength(3);
  });

  test("while its former self is up nobody takes its place", async () => {
    const three = cluster("impostor");
    const { world } = three;
    const leader = await three.untilLeader();
    await write(three, 3);
    const real = three.up.find((node) => node !== leader)!;
    const impostor = world.addNode(
      "x",
      three.boot(real.name, { join: [`${leader.name}:2380`], address: "x:2380" }, "x:2380"),
    );
    await world.run({ until: () => three.refused.has(real.name), limitMs: 120_000 });
    expect(three.refused.get(real.name)).toMatchObject({ code: "membership-refused", refusal: "member-is-up" });
    impostor.crash();
    await write(three, 3);
    expect(
      leader.running.raft
        .status()
        .members.map(({ name }) => name)
        .toSorted(),
    ).toEqual(["a", "b", "c"]);
  });
});

describe("the first start of a new cluster", () => {
  test("three: nobody leads before all have met, and then somebody does at once", async () => {
    const three = new SimulatedCluster({ seed: `meet ${SEED}` });
    const { world } = three;
    const late = three.node("c");
    late.crash();
    await world.run({ forMs: 10_000 });
    expect(three.leader).toBeUndefined();
    late.restart();
    await world.run({ until: () => three.leader !== undefined, limitMs: 5_000 });
    await three.untilAgreed();
  });

  test("five: four are enough, and the fifth disturbs nobody when it comes", async () => {
    const five = cluster("five", ["a", "b", "c", "d", "e"]);
    const { world } = five;
    const late = five.node("e");
    late.crash();
    const leader = await five.untilLeader();
    await write(five, 20);
    const { term } = leader.running.raft.status();
    late.restart();
    await world.run({ until: () => five.up.length === 5 });
    await five.untilAgreed();
    await world.run({ forMs: 5_000 });
    await write(five, 5);
    await five.untilAgreed();
    expect(five.leader).toBe(leader);
    expect(leader.running.raft.status().term).toBe(term);
    expect(five.agreedJournal()).toHaveLength(25);
    expect(leader.running.raft.status().members.every(({ incarnation }) => incarnation > 0)).toBe(true);
  });

  test("F1 one that comes when too few first members are left to ask takes part on the word that its directory is recorded", async () => {
    const five = cluster("too few left", ["a", "b", "c", "d", "e"]);
    const { world } = five;
    await world.run({ until: () => five.up.length === 5 });
    // From the moment when all may take part, and before anybody has led.
    await world.run({ forMs: 300 });
    const late = five.node("e");
    late.crash();
    await five.untilLeader();
    await write(five, 5);
    // Of those that stay two know it, one of them the leader; three of the first would have to say so.
    for (const name of ["a", "b"]) {
      const gone = five.node(name);
      const asked = five.up.find((node) => node !== gone)!;
      await world.settle(asked.running.raft.removeMember(five.idOf(name)));
      await world.run({ until: () => gone.running.events.some(({ kind }) => kind === "removed") });
      gone.crash();
      five.nodes.splice(five.nodes.indexOf(gone), 1);
    }
    late.restart();
    await world.run({ until: () => five.up.length === 3 });
    await five.untilAgreed();
    expect(late.running.raft.status().lastIndex).toBeGreaterThan(1);
    // It counts: with it and one more there is a majority of three.
    five.leader!.crash();
    await world.run({ until: () => five.leader !== undefined });
  });

  test("one that was removed before it ever took part is told so by whoever listens where it looks for others", async () => {
    const three = cluster("never took part");
    const { world } = three;
    await world.run({ until: () => three.up.length === 3 });
    await world.run({ forMs: 300 });
    const late = three.node("c");
    const id = three.idOf("c");
    late.crash();
    await three.untilLeader();
    await write(three, 3);
    await world.settle(three.leader!.running.raft.removeMember(id));
    // So that it hears it while it runs.
    world.isolate("c");
    late.restart();
    await world.run({ until: () => late.program !== undefined });
    world.network.heal();
    await world.run({ until: () => late.running.events.length > 0 });
    expect(late.running.events).toEqual([{ kind: "removed" }]);
  });

  test("all of it may crash at any moment of it", async () => {
    const three = cluster("first crashes");
    const { world } = three;
    for (let round = 0; round < 20; round++) {
      await world.run({ forMs: world.prng.below(1_500) });
      for (const node of three.nodes) if (world.prng.below(2) === 0) node.crash();
      await world.run({ forMs: world.prng.below(100) });
      for (const node of three.nodes) if (!node.isUp) node.restart();
    }
    await world.run({ until: () => three.up.length === 3 });
    await three.untilLeader();
    await write(three, 5);
    await three.untilAgreed();
    expect(three.agreedJournal()).toHaveLength(5);
  });
});
