import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Member } from "../../src/member/member.js";
import type { MemberOptions } from "../../src/member/member-options.js";

const log = pino({ level: "silent" });
const started: { stop(): Promise<void> }[] = [];
let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-member-"));
});
afterEach(async () => {
  for (const member of started.splice(0)) await member.stop();
  await rm(dir, { recursive: true, force: true });
});

function options(rest: Partial<MemberOptions> = {}): MemberOptions {
  const members = [{ name: "solo", address: "127.0.0.1:23801" }];
  return {
    name: "solo",
    dataDir: join(dir, "data"),
    clientAddresses: ["127.0.0.1:0"],
    advertisedClientUrls: ["http://127.0.0.1:23791"],
    peerAddress: "127.0.0.1:0",
    bootstrap: { id: "test", members },
    heartbeatMs: 10,
    electionMs: 50,
    snapshotEntries: 100_000,
    ...rest,
  };
}

async function start(rest: Partial<MemberOptions> = {}): Promise<Member> {
  const member = await Member.start(options(rest), log);
  started.push(member);
  return member;
}

async function stop(member: Member): Promise<void> {
  started.splice(started.indexOf(member), 1);
  await member.stop();
}

function clientOf(member: Member): Etcd3 {
  const client = new Etcd3({ hosts: `http://${member.clientAddresses[0]}` });
  started.push({ stop: async () => client.close() });
  return client;
}

async function listening(): Promise<{ server: Server; address: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  started.push({ stop: async () => void server.close() });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { server, address: `127.0.0.1:${address.port}` };
}

describe("a member of one", () => {
  it("serves, stops, and has its data when it is started again", async () => {
    const first = await start();
    await clientOf(first).put("a").value("1");
    await stop(first);
    const second = await start({ bootstrap: undefined });
    expect(await clientOf(second).get("a").string()).toBe("1");
    expect(second.memberId).toBe(first.memberId);
    expect(second.clusterId).toBe(first.clusterId);
  });

  it("makes itself known to clients", async () => {
    const client = clientOf(await start());
    await client.put("wait").value("for a leader");
    await expect
      .poll(async () => (await client.cluster.memberList({})).members[0]?.clientURLs)
      .toEqual(["http://127.0.0.1:23791"]);
  });

  it("keeps its data through snapshots and compaction of the log", async () => {
    const first = await start({ snapshotEntries: 20 });
    const client = clientOf(first);
    for (let i = 0; i < 100; i++) await client.put(`k${i}`).value(String(i));
    await expect.poll(async () => (await readdir(join(dir, "data"), { recursive: true })).join()).toMatch(/snap/);
    await stop(first);
    const again = clientOf(await start({ snapshotEntries: 20 }));
    expect(Object.keys(await again.getAll().prefix("k").strings())).toHaveLength(100);
    expect((await again.put("after").value("1")).header.revision).toBe("102");
  });
});

describe("a member that can't be started as it was told touches nothing", () => {
  it.each(["clientAddresses", "peerAddress"] as const)("%s in use", async (which) => {
    const { address } = await listening();
    const wrong = which === "peerAddress" ? { peerAddress: address } : { clientAddresses: ["127.0.0.1:0", address] };
    await expect(start(wrong)).rejects.toMatchObject({
      code: "address-in-use",
      message: expect.stringContaining(`${address} is in use`) as string,
    });
    expect(existsSync(join(dir, "data"))).toBe(false);
  });

  it("a data directory in use", async () => {
    const holder = await start();
    await expect(start()).rejects.toMatchObject({
      code: "data-directory",
      message: `data directory ${join(dir, "data")} is in use by another process`,
    });
    await clientOf(holder).put("still").value("served");
  });

  it("a data directory of another cluster, or of another member", async () => {
    await stop(await start());
    const content = await readdir(join(dir, "data"));
    const members = [{ name: "solo", address: "127.0.0.1:23802" }];
    await expect(start({ bootstrap: { id: "other", members } })).rejects.toMatchObject({ code: "data-directory" });
    await expect(start({ name: "else", bootstrap: undefined })).rejects.toThrow("belongs to member solo");
    expect(await readdir(join(dir, "data"))).toEqual(content);
  });
});
