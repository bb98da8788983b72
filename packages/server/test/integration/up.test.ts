import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePorts, plainClient } from "./cluster.js";
import { flipInTheMiddle } from "./flip.js";

const COMMAND = fileURLToPath(new URL("../../bin/balsa.js", import.meta.url));

/** `balsa up` in a process, and what it says. */
class Up {
  readonly child: ChildProcess;
  output = "";
  private readonly waiting = new Set<() => void>();

  constructor(dir: string, ports: readonly number[]) {
    const [clients, peers] = [ports.slice(0, 3).join(","), ports.slice(3).join(",")];
    const args = [COMMAND, "up", "--data-dir", dir, "--client-ports", clients, "--peer-ports", peers];
    this.child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    const keep = (chunk: Buffer): void => {
      this.output += chunk.toString();
      for (const check of this.waiting) check();
    };
    this.child.stdout?.on("data", keep);
    this.child.stderr?.on("data", keep);
  }

  /** Until it has said something that matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        this.waiting.delete(check);
        end();
      };
      const check = (): void => {
        const match = pattern.exec(this.output);
        if (match !== null) settle(() => resolve(match));
      };
      this.waiting.add(check);
      this.child.once("exit", () => settle(() => reject(new Error(`it ended without ${pattern}:\n${this.output}`))));
      check();
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async end(signal: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number | null> {
    if (!this.isRunning) return this.child.exitCode;
    const ended = once(this.child, "exit");
    this.child.kill(signal);
    await ended;
    return this.child.exitCode;
  }

  memberPids(): number[] {
    return [...this.output.matchAll(/^ {2}m\d +process (\d+)/gm)].map(([, pid]) => Number(pid));
  }
}

let dir = "";
let ports: number[] = [];
let running: Up[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "balsa-up-"));
  ports = await freePorts(6);
});
afterEach(async () => {
  for (const up of running) {
    await up.end("SIGKILL");
    for (const pid of up.memberPids()) await gone(pid);
  }
  running = [];
  await rm(dir, { recursive: true, force: true });
});

function start(): Up {
  const up = new Up(dir, ports);
  running.push(up);
  return up;
}

async function gone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const endpoints = (): string[] => ports.slice(0, 3).map((port) => `http://127.0.0.1:${port}`);

test("a local cluster says who leads, reports a death, stops in order, and finds its data again", async () => {
  const first = start();
  const [, leader = ""] = await first.says(/3 members are running, (m\d) leads/);
  const pids = first.memberPids();
  expect(new Set(pids).size).toBe(3);
  expect(first.output).toContain(dir);
  expect(first.output).toContain(`etcdctl --endpoints ${endpoints().join(",").replaceAll("http://", "")} put`);

  const client = plainClient(endpoints());
  await client.put("kept").value("1");
  const leaderPid = Number(new RegExp(`${leader} +process (\\d+)`).exec(first.output)?.[1]);
  process.kill(leaderPid, "SIGKILL");
  await first.says(new RegExp(`${leader} \\(process ${leaderPid}\\) has ended: killed by SIGKILL. It stays down.`));
  await first.says(/^m\d leads$/m);
  expect(isAlive(leaderPid)).toBe(false);
  expect(await first.end("SIGINT")).toBe(0);
  expect(first.output).toContain("stopped; the data stays in");
  for (const pid of pids) expect(isAlive(pid)).toBe(false);
  client.close();

  const second = start();
  await second.says(/3 members are running/);
  const again = plainClient(endpoints());
  expect(await again.get("kept").string()).toBe("1");
  again.close();
  expect(await second.end("SIGTERM")).toBe(0);
});

test("a member that finds its log damaged says so, and when it is whole again", async () => {
  const first = start();
  await first.says(/3 members are running/);
  const client = plainClient(endpoints());
  for (let i = 0; i < 20; i++) await client.put(`key ${i}`).value("x".repeat(300));
  client.close();
  expect(await first.end("SIGINT")).toBe(0);
  await flipInTheMiddle(join(dir, "m2"));

  const second = start();
  await second.says(
    /^balsa: m2: .*m2\/log\/.* is damaged at offset \d+.* takes no part until the others have given back/m,
  );
  await second.says(/^balsa: m2: its log is whole again after \d+ ms; .* set-aside$/m);
  expect(await second.end("SIGINT")).toBe(0);
});

test("a second cluster on the same ports or the same directory is refused, and the first one goes on", async () => {
  const first = start();
  await first.says(/members are running/);
  const samePorts = start();
  await once(samePorts.child, "close");
  expect(samePorts.child.exitCode).toBe(1);
  expect(samePorts.output).toBe(
    `balsa: client address 127.0.0.1:${ports[0]} is in use; other ports: --client-ports A,B,C\n`,
  );
  const used = ports;
  ports = await freePorts(6);
  const sameDir = start();
  await once(sameDir.child, "close");
  expect(sameDir.child.exitCode).toBe(1);
  for (const name of ["m1", "m2", "m3"]) {
    expect(sameDir.output).toMatch(
      new RegExp(`^balsa: ${name} .*: data directory .*${name} is in use by another process`, "m"),
    );
  }
  expect(sameDir.output).toMatch(/no member is left\n$/);
  ports = used;
  const client = plainClient(endpoints());
  await client.put("still").value("served");
  client.close();
});

test("members do not outlive the process that started them, whatever ends it", async () => {
  const up = start();
  await up.says(/members are running/);
  const pids = up.memberPids();
  expect(pids.filter(isAlive)).toHaveLength(3);
  await up.end("SIGKILL");
  for (const pid of pids) await gone(pid);
});
