import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { Cluster } from "./cluster.js";

const SUITE = fileURLToPath(new URL("../../../../../shared/etcdctl/run-etcdctl-suite.sh", import.meta.url));
const ETCDCTL = "etcdctl";
const hasEtcdctl = spawnSync(ETCDCTL, ["version"]).status === 0;
const run = promisify(execFile);

let cluster: Cluster | undefined;
afterEach(async () => {
  await cluster?.remove();
  cluster = undefined;
});

/** Answers recorded from a real etcd, and its own command. Skipped where either is not there. */
describe.skipIf(!hasEtcdctl || !existsSync(SUITE))("etcdctl, step by step as with etcd", () => {
  test.each([1, 3])("key-value and transaction steps against %i members", async (size) => {
    cluster = await Cluster.create(size);
    await cluster.startAll();
    const endpoints = cluster.endpoints.join(",").replaceAll("http://", "");
    // The suite opens its standard input by name, which a pipe of Node's does not allow.
    const suite = spawn("bash", [SUITE, endpoints, "--only", "^(kv|txn)"], { stdio: ["ignore", "pipe", "ignore"] });
    expect(await text(suite.stdout)).toContain("71 passed, 0 failed");
  });
});

describe.skipIf(!hasEtcdctl)("etcdctl", () => {
  test("lists members and their status", async () => {
    cluster = await Cluster.create(3);
    await cluster.startAll();
    const endpoints = cluster.endpoints.join(",").replaceAll("http://", "");
    const etcdctl = async (...args: string[]) =>
      (await run(ETCDCTL, ["--endpoints", endpoints, ...args], { env: { ...process.env, ETCDCTL_API: "3" } })).stdout;
    // Where its clients find it each member says by a proposal of its own, once there is a leader; whoever is asked may not have it yet.
    const lines = cluster.members.map(
      ({ name, clientUrl, peerUrl }) =>
        new RegExp(`^[0-9a-f]{14}, started, ${name}, ${peerUrl}, ${clientUrl}, false$`, "m"),
    );
    let listed = "";
    await cluster.eventually(10_000, "members not known", async () => {
      listed = await etcdctl("member", "list");
      return lines.every((line) => line.test(listed)) ? true : undefined;
    });
    expect(listed.trim().split("\n")).toHaveLength(3);
    const status = await etcdctl("endpoint", "status", "-w", "simple");
    expect(status.match(/, true, false, /g)).toHaveLength(1);
    expect(status.match(/, false, false, /g)).toHaveLength(2);
    expect(await etcdctl("endpoint", "status", "--cluster", "-w", "simple")).toContain("3.4.");
  });
});
