import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { Member } from "../../src/node/index.js";

const PROGRAM = fileURLToPath(new URL("./joining-process.mjs", import.meta.url));

interface Report {
  readonly name: string;
  readonly memberId: number;
  readonly applied: number;
  readonly members: readonly Member[];
}

let processes = new Map<string, ChildProcess>();
let dir = "";

afterEach(async () => {
  for (const child of processes.values()) child.kill("SIGKILL");
  processes = new Map();
  await rm(dir, { recursive: true, force: true });
});

async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await once(server.close(), "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return `127.0.0.1:${address.port}`;
}

/** Processes of a cluster, and what each has reported last. */
class Processes {
  readonly last = new Map<string, Report>();
  readonly removed = new Set<number>();
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  start(name: string, listen: string, cluster: object): void {
    const settings = { dir: join(dir, name), name, listen, cluster };
    const child = fork(PROGRAM, [JSON.stringify(settings)], { stdio: "inherit" });
    processes.set(name, child);
    child.on("message", (report: Report & { readonly removed?: number }) => {
      if (report.removed !== undefined) this.removed.add(report.removed);
      else this.last.set(name, report);
      this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
        if (!holds()) return true;
        resolve();
        return false;
      });
    });
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ holds, resolve });
    });
  }

  async kill(name: string): Promise<void> {
    const child = processes.get(name);
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    this.last.delete(name);
  }

  /** Whether the member is a voter in its own eyes. */
  votes(name: string): boolean {
    const report = this.last.get(name);
    return report?.members.some(({ id, role }) => id === report.memberId && role === "voter") === true;
  }
}

test("E1 real processes: a fourth joins and votes, one loses its disk and comes back as another, one is removed", async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-membership-"));
  const addresses = new Map<string, string>();
  for (const name of ["a", "b", "c", "d"]) addresses.set(name, await freeAddress());
  const addressOf = (name: string): string => addresses.get(name) ?? "";
  const members = ["a", "b", "c"].map((name) => ({ name, address: addressOf(name) }));
  const bootstrap = { bootstrap: { id: "processes", members } };
  const running = new Processes();
  for (const { name, address } of members) running.start(name, address, bootstrap);
  await running.until(() => ["a", "b", "c"].every((name) => (running.last.get(name)?.applied ?? 0) > 5));

  running.start("d", addressOf("d"), { join: [addressOf("b"), addressOf("c")], voter: true });
  await running.until(() => running.votes("d"));

  const formerId = running.last.get("b")?.memberId ?? 0;
  await running.kill("b");
  await rm(join(dir, "b"), { recursive: true });
  running.start("b", addressOf("b"), bootstrap);
  await running.until(() => running.votes("b") && (running.last.get("b")?.applied ?? 0) > 10);
  expect(running.last.get("b")?.memberId).not.toBe(formerId);

  const gone = running.last.get("a")?.memberId ?? 0;
  processes.get("d")?.send({ remove: gone });
  await running.until(() => running.removed.has(gone));
  const before = running.last.get("d")?.applied ?? 0;
  await running.until(() => (running.last.get("d")?.applied ?? 0) > before + 5);
  const names = running.last.get("d")?.members.map(({ name }) => name);
  expect(names?.toSorted()).toEqual(["b", "c", "d"]);
}, 60_000);
