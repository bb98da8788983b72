import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { nodeFiles } from "../../src/platform/node/index.js";
import { readLog } from "../../src/storage/index.js";

const PROGRAM = fileURLToPath(new URL("./member-process.mjs", import.meta.url));

interface Report {
  readonly name: string;
  readonly role: string;
  readonly memberId: number;
  readonly progress: readonly { readonly id: number; readonly match: number }[];
}

let children: ChildProcess[] = [];
let dir = "";

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(dir, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await once(server.close(), "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

test("F1 C9 a killed member's directory, opened alone, has every entry up to the match its leader last reported", async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-match-"));
  const members: { name: string; address: string }[] = [];
  for (const name of ["a", "b", "c"]) members.push({ name, address: `127.0.0.1:${await freePort()}` });
  const ids = new Map<string, number>();
  let lastOfLeader: Report | undefined;
  const progressed = new Promise<void>((resolve) => {
    for (const { name, address } of members) {
      const settings = { dir: join(dir, name), name, listen: address, members };
      const child = fork(PROGRAM, [JSON.stringify(settings)], { stdio: "inherit" });
      children.push(child);
      child.on("message", (report: Report) => {
        ids.set(report.name, report.memberId);
        if (report.role !== "leader") return;
        lastOfLeader = report;
        if (ids.size === 3 && report.progress.length === 3 && report.progress.every(({ match }) => match > 2_000))
          resolve();
      });
    }
  });
  await progressed;
  const victim = members.findIndex(({ name }) => name !== lastOfLeader?.name);
  const { name } = members[victim] ?? { name: "" };
  const match = lastOfLeader?.progress.find(({ id }) => id === ids.get(name))?.match ?? 0;
  const gone = once(children[victim] as ChildProcess, "exit");
  children[victim]?.kill("SIGKILL");
  await gone;
  expect(match).toBeGreaterThan(2_000);
  const log = await readLog(nodeFiles, join(dir, name));
  const indexes = log.entries.map((entry) => entry.index);
  const first = indexes[0] ?? 0;
  expect(indexes).toEqual(Array.from({ length: indexes.length }, (_, i) => first + i));
  expect(first).toBeLessThanOrEqual((log.snapshot?.index ?? 0) + 1);
  expect(indexes.at(-1)).toBeGreaterThanOrEqual(match);
  expect(log.hardState.term).toBeGreaterThanOrEqual(log.entries.at(-1)?.term ?? 0);
});
