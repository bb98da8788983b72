import { readdirSync, readFileSync } from "node:fs";
import type { Message } from "balsa/core";
import { NO_CONTEXT } from "balsa/core";
import { describe, expect, it } from "vitest";
import { Replica } from "./embedding-example.js";

const repository = new URL("../../../../", import.meta.url);
const core = new URL("packages/balsa/src/core/", repository);
const read = (path: string): string => readFileSync(new URL(path, repository), "utf8");

describe("docs/core.md", () => {
  const guide = read("docs/core.md");

  it("shows the example as it is compiled and run here", () => {
    expect(guide).toContain(read("packages/balsa/test/core/embedding-example.ts").trim());
  });

  it("names every file of the core, and none that is not there", () => {
    const files = readdirSync(core).filter((file) => file.endsWith(".ts") && file !== "index.ts");
    const named = new Set(guide.match(/`[a-z-]+\.ts`/g)?.map((name) => name.slice(1, -1)));
    expect([...named].filter((file) => !files.includes(file))).toEqual([]);
    expect(files.filter((file) => !named.has(file))).toEqual([]);
  });
});

describe("docs/differs-from-etcd.md", () => {
  it("names the files that say at the line how they differ, and no others", () => {
    const saying = readdirSync(core).filter((file) =>
      /Differs from etcd/.test(readFileSync(new URL(file, core), "utf8")),
    );
    const section = read("docs/differs-from-etcd.md").split("## Behaviour")[1]?.split("\n## ")[0] ?? "";
    const named = new Set(section.match(/`[a-z-]+\.ts`/g)?.map((name) => name.slice(1, -1)));
    expect([...named].sort()).toEqual(saying.sort());
  });
});

describe("the embedding example", () => {
  function cluster(): { replicas: Map<number, Replica>; run: (ticks: number) => void } {
    const replicas = new Map<number, Replica>();
    let network: Message[] = [];
    const ids = [1, 2, 3];
    for (const id of ids) replicas.set(id, new Replica(id, ids, (message) => network.push(message)));
    const deliver = (): void => {
      while (network.length > 0) {
        const messages = network;
        network = [];
        for (const message of messages) replicas.get(message.to)?.receive(message);
      }
    };
    const run = (ticks: number): void => {
      for (let i = 0; i < ticks; i++) {
        for (const replica of replicas.values()) replica.tick();
        deliver();
      }
    };
    return { replicas, run };
  }

  it("elects a leader and replicates", () => {
    const { replicas, run } = cluster();
    expect([...replicas.values()].some((replica) => replica.set("too", "early"))).toBe(false);
    run(200);
    for (const replica of replicas.values()) expect(replica.set(`from ${replica.node.id}`, "here")).toBe(true);
    run(2);
    for (const replica of replicas.values()) {
      expect(Object.fromEntries(replica.values)).toEqual({ "from 1": "here", "from 2": "here", "from 3": "here" });
    }
  });

  it("takes in a new member, which learns all by a snapshot", () => {
    const { replicas, run } = cluster();
    run(200);
    const leader = [...replicas.values()].find(({ node }) => node.role === "leader") as Replica;
    leader.set("a", "1");
    leader.node.proposeConfChange({ version: 1, change: { kind: "add-learner", id: 4 }, context: NO_CONTEXT });
    run(2);
    expect(leader.node.status().conf.learners).toEqual([4]);
  });
});
