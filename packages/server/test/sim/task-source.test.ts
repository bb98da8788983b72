import { describe, expect, test } from "vitest";
import { runSeed } from "../../src/sim/run-seed.js";
import type { SeedResult, SeedTask } from "../../src/sim/seed-task.js";
import { TaskSource } from "../../src/sim/task-source.js";
import { loadWorkload } from "../../src/sim/workloads.js";

const workload = "key-value";
const always = (): boolean => true;

function taken(source: TaskSource): SeedTask[] {
  const tasks: SeedTask[] = [];
  for (let task = source.next(); task !== undefined; task = source.next()) tasks.push(task);
  return tasks;
}

describe("which seed is run next", () => {
  test("each seed of a range with each profile, one in fifty twice", () => {
    const source = new TaskSource({ profiles: ["short", "disks"], workload, seeds: [1, 51], hasTime: always });
    const tasks = taken(source);
    expect(tasks).toHaveLength(102);
    expect(tasks.slice(0, 3).map(({ seed, profile }) => [seed, profile])).toEqual([
      ["1", "short"],
      ["1", "disks"],
      ["2", "short"],
    ]);
    const again = tasks.filter(({ twice }) => twice).map(({ seed, profile }) => [seed, profile]);
    expect(again).toEqual([
      ["1", "short"],
      ["1", "disks"],
      ["51", "short"],
      ["51", "disks"],
    ]);
  });

  test("when there is no more time, none", () => {
    let left = 3;
    const hasTime = (): boolean => left-- > 0;
    const tasks = taken(new TaskSource({ profiles: ["short"], workload, seeds: undefined, hasTime }));
    expect(tasks).toHaveLength(3);
    expect(new Set(tasks.map(({ seed }) => seed)).size).toBe(3);
  });

  test("several profiles share the time, whatever a seed of each takes, with several workers", async () => {
    const [any] = taken(new TaskSource({ profiles: ["short"], workload, seeds: [1, 1], hasTime: always }));
    const { report } = await runSeed(any as SeedTask, await loadWorkload(workload));
    const costMs = new Map([
      ["default", 300],
      ["short", 60],
      ["disks", 900],
    ]);
    const source = new TaskSource({ profiles: [...costMs.keys()], workload, seeds: undefined, hasTime: always });
    const spentMs = new Map<string, number>();
    const underWay: SeedResult[] = [];
    for (let i = 0; i < 600; i += 1) {
      const task = source.next() as SeedTask;
      underWay.push({ task, report, realMs: costMs.get(task.profile) as number, secondHash: undefined });
      if (underWay.length < 4) continue;
      const done = underWay.shift() as SeedResult;
      spentMs.set(done.task.profile, (spentMs.get(done.task.profile) ?? 0) + done.realMs);
      source.done(done);
    }
    const spent = [...spentMs.values()];
    expect(spent).toHaveLength(3);
    // Seeds are whole: no two differ by more than a few of the longest.
    expect(Math.max(...spent) - Math.min(...spent)).toBeLessThan(4 * 900);
    expect(Math.min(...spent)).toBeGreaterThan(10 * 900);
  });
});
