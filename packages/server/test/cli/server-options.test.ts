import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { optionsOf, type ServerFlags } from "../../src/cli/server.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-flags-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

function flags(rest: Partial<ServerFlags> = {}): ServerFlags {
  return {
    name: "a",
    dataDir: join(dir, "data"),
    listenClientUrls: "http://127.0.0.1:2379",
    listenPeerUrls: "http://127.0.0.1:2380",
    initialClusterState: "new",
    initialClusterToken: "etcd-cluster",
    heartbeatInterval: 100,
    electionTimeout: 1_000,
    snapshotCount: 100_000,
    logLevel: "info",
    stopWithParent: false,
    ...rest,
  };
}

describe("what the flags of a server come to", () => {
  it("alone: a cluster of one, at the addresses that it listens on", async () => {
    const { dataDir: _, ...others } = flags();
    expect(await optionsOf(others)).toEqual({
      name: "a",
      dataDir: "a.balsa",
      clientAddresses: ["127.0.0.1:2379"],
      advertisedClientUrls: ["http://127.0.0.1:2379"],
      peerAddress: "127.0.0.1:2380",
      bootstrap: { id: "etcd-cluster", members: [{ name: "a", address: "127.0.0.1:2380" }] },
      heartbeatMs: 100,
      electionMs: 1_000,
      snapshotEntries: 100_000,
    });
  });

  it("a cluster, several client addresses, and others to be told than to be listened on", async () => {
    const options = await optionsOf(
      flags({
        listenClientUrls: "http://0.0.0.0:1,http://127.0.0.1:2",
        advertiseClientUrls: "http://a.example:1",
        listenPeerUrls: "http://0.0.0.0:3",
        initialAdvertisePeerUrls: "http://a.example:3",
        initialCluster: "a=http://a.example:3,b=http://b.example:3",
        initialClusterToken: "orders",
      }),
    );
    expect(options).toMatchObject({
      clientAddresses: ["0.0.0.0:1", "127.0.0.1:2"],
      advertisedClientUrls: ["http://a.example:1"],
      peerAddress: "0.0.0.0:3",
      bootstrap: {
        id: "orders",
        members: [
          { name: "a", address: "a.example:3" },
          { name: "b", address: "b.example:3" },
        ],
      },
    });
  });

  it("a directory that holds something goes on with it, unless a cluster is described", async () => {
    await mkdir(join(dir, "data"));
    expect((await optionsOf(flags())).bootstrap).toBeDefined();
    await writeFile(join(dir, "data", "file"), "");
    expect((await optionsOf(flags())).bootstrap).toBeUndefined();
    expect((await optionsOf(flags({ initialClusterState: "existing" }))).bootstrap).toBeUndefined();
    expect((await optionsOf(flags({ initialCluster: "a=http://127.0.0.1:2380" }))).bootstrap).toBeDefined();
  });
});
