import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { nodeFiles } from "balsa/platform/node";
import { verifyDirectory } from "balsa/storage";
import { afterEach, expect, test } from "vitest";
import { Cluster, plainClient } from "./cluster.js";
import { flipInTheMiddle } from "./flip.js";
import { verify, Writers } from "./writers.js";

const clusters: Cluster[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.remove();
});

test("three processes, one with a flipped bit in its log: writes go on, it repairs itself, nothing is lost", async () => {
  const cluster = await Cluster.create(3);
  clusters.push(cluster);
  await cluster.startAll();
  const client = plainClient(cluster.endpoints, 4_000);
  const writers = new Writers([client], 8, "repair");
  for (let i = 0; i < 100; i++) await writers.nextAcknowledgement();
  const leader = await cluster.leader();
  const victim = cluster.members.find((member) => member !== leader);
  if (victim === undefined) throw new Error("no follower");
  await cluster.stop(victim, "SIGKILL");
  await flipInTheMiddle(victim.dataDir);
  expect((await verifyDirectory(nodeFiles, victim.dataDir)).damages.length).toBeGreaterThan(0);

  cluster.start(victim);
  const gapsMs: number[] = [];
  const startedMs = performance.now();
  let lastMs = startedMs;
  while (!victim.output.includes("the log is repaired")) {
    const ackedMs = await writers.nextAcknowledgement();
    gapsMs.push(ackedMs - lastMs);
    lastMs = ackedMs;
    if (ackedMs - startedMs > 30_000) throw new Error(`not repaired within 30 s\n${cluster.outputs()}`);
  }
  await cluster.caughtUp();
  for (let i = 0; i < 20; i++) await writers.nextAcknowledgement();
  await writers.stop();
  await cluster.caughtUp();
  expect(Math.max(...gapsMs)).toBeLessThan(3_000);
  console.log(
    `repaired and back within ${Math.round(lastMs - startedMs)} ms; ${writers.acknowledged.size} acknowledged`,
  );

  for (const member of cluster.members) {
    expect(await verify(member.client, "repair/", writers)).toMatchObject({ lost: [], wrong: [] });
  }
  for (const member of cluster.members) {
    await cluster.stop(member, "SIGTERM");
    const report = await verifyDirectory(nodeFiles, member.dataDir);
    expect(report).toMatchObject({ damages: [], lost: [], endKnown: true });
  }
  // The damaged segment is kept as evidence.
  expect(await readdir(join(victim.dataDir, "set-aside"))).toHaveLength(1);
  client.close();
});
