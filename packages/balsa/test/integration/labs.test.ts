import { afterEach, describe, expect, test } from "vitest";
import { LabsProcesses } from "./labs-cluster.js";

let cluster: LabsProcesses;
afterEach(() => cluster.stop());

describe("the labs' scenarios, on real processes", () => {
  test("G initial election: one leader, whose term stays", async () => {
    cluster = await LabsProcesses.start(3);
    const leader = await cluster.oneLeader();
    const { term } = cluster.members[leader] ?? { term: 0 };
    await cluster.one(3);
    const settled = cluster.leader();
    await cluster.one(3);
    expect(cluster.leader()).toBe(settled);
    expect(term).toBeGreaterThan(0);
  });

  test("G leader failure, and its return", async () => {
    cluster = await LabsProcesses.start(3);
    await cluster.one(3);
    for (let round = 0; round < 3; round++) {
      const leader = await cluster.oneLeader();
      cluster.kill(leader);
      await cluster.one(2);
      expect(await cluster.oneLeader()).not.toBe(leader);
      await cluster.one(2);
      cluster.restart(leader);
      await cluster.one(3);
    }
  });

  test("G a paused leader is replaced, and comes back as a follower", async () => {
    cluster = await LabsProcesses.start(3);
    await cluster.one(3);
    const first = await cluster.oneLeader();
    cluster.pause(first);
    await cluster.one(2);
    const second = await cluster.oneLeader();
    expect(second).not.toBe(first);
    cluster.resume(first);
    await cluster.one(3);
    await cluster.until("the old leader follows", () => cluster.members[first]?.role === "follower");
  });

  test("G restarts of all: everything agreed on is there", async () => {
    cluster = await LabsProcesses.start(5);
    const before: number[] = [];
    for (let i = 0; i < 5; i++) before.push(await cluster.one(5));
    for (const node of [0, 1, 2, 3, 4]) cluster.kill(node);
    for (const node of [0, 1, 2, 3, 4]) cluster.restart(node);
    const last = await cluster.one(5);
    expect(last).toBeGreaterThan(Math.max(...before));
  });

  test("G no agreement without a quorum, and agreement after it", async () => {
    cluster = await LabsProcesses.start(3);
    await cluster.one(3);
    const leader = await cluster.oneLeader();
    const others = [0, 1, 2].filter((node) => node !== leader);
    for (const node of others) cluster.kill(node);
    await cluster.until("the leader steps down", () => cluster.leader() === undefined);
    const before = cluster.lastAgreed;
    for (const node of others) cluster.restart(node);
    expect(await cluster.one(3)).toBeGreaterThan(before);
  });
});
