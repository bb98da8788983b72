import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodePlatform } from "../../src/platform/node/index.js";
import type { WorldNode } from "../../src/sim/index.js";
import { World } from "../../src/sim/index.js";
import {
  type ContractCase,
  clockContract,
  fileSystemContract,
  networkContract,
  randomContract,
} from "../../src/testing/index.js";

function testEach<Subject>(
  what: string,
  contract: readonly ContractCase<Subject>[],
  run: (rule: ContractCase<Subject>) => Promise<void>,
): void {
  for (const rule of contract) {
    test(`${what}: ${rule.name}`, () => expect(run(rule)).resolves.toBeUndefined());
  }
}

describe("the Node platform keeps the contracts", () => {
  const platform = nodePlatform();
  let dir = "";
  let cases = 0;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "balsa-platform-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  testEach("Clock", clockContract, (rule) => rule.run(platform.clock));
  testEach("Random", randomContract, (rule) => rule.run(platform.random));
  testEach("FileSystem", fileSystemContract, async (rule) => {
    cases += 1;
    const own = `${dir}/${cases}`;
    await platform.files.makeDir(own);
    await rule.run({ files: platform.files, dir: own });
  });
  for (const host of ["127.0.0.1", "[::1]", "localhost"]) {
    testEach(`Network on ${host}`, networkContract, (rule) => rule.run({ ...platform, host }));
  }
});

describe("the simulated platform keeps the contracts", () => {
  const seeds = [1, 2, 3, 4, 5];

  function testInWorlds<Subject>(
    what: string,
    contract: readonly ContractCase<Subject>[],
    subject: (node: WorldNode, world: World) => Promise<Subject>,
  ): void {
    testEach(what, contract, async (rule) => {
      for (const seed of seeds) {
        const world = new World({ seed: `${rule.name} ${seed}`, trace: "hash" });
        const node = world.addNode("a");
        await world.settle(rule.run(await subject(node, world)));
      }
    });
  }

  testInWorlds("Clock", clockContract, async (node) => node.platform.clock);
  testInWorlds("Random", randomContract, async (node) => node.platform.random);
  testInWorlds("FileSystem", fileSystemContract, async (node, world) => {
    await world.settle(node.platform.files.makeDir("/data"));
    return { files: node.platform.files, dir: "/data" };
  });
  testInWorlds("Network", networkContract, async (node) => ({ ...node.platform, host: "a" }));
});
