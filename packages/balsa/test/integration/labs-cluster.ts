/** The labs' harness again, in real processes: kill −9 and SIGSTOP in place of simulated faults. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./labs-process.mjs", import.meta.url));
const LIMIT_MS = 10_000;

type Report =
  | { readonly kind: "status"; readonly role: string; readonly term: number }
  | { readonly kind: "applied"; readonly index: number; readonly command: string }
  | { readonly kind: "answer"; readonly id: number; readonly index?: number; readonly error?: string };

/** One member's process, and what it has said last. */
class Member {
  process: ChildProcess | undefined;
  role = "follower";
  term = 0;
  isPaused = false;
  readonly commands: Map<number, string> = new Map();
}

export class LabsProcesses {
  readonly members: readonly Member[];
  private readonly addresses: readonly { readonly name: string; readonly address: string }[];
  private readonly dir: string;
  private readonly agreed: Map<number, string> = new Map();
  private readonly leaders: Map<number, number> = new Map();
  private readonly waiting: Map<number, (index: number | undefined) => void> = new Map();
  private violation: Error | undefined;
  private lastCommand = 0;

  static async start(count: number): Promise<LabsProcesses> {
    const addresses: { name: string; address: string }[] = [];
    for (let i = 0; i < count; i++) addresses.push({ name: `s${i}`, address: `127.0.0.1:${await freePort()}` });
    const cluster = new LabsProcesses(addresses, await mkdtemp(join(tmpdir(), "balsa-labs-")));
    for (const node of addresses.keys()) cluster.restart(node);
    return cluster;
  }

  private constructor(addresses: readonly { name: string; address: string }[], dir: string) {
    this.addresses = addresses;
    this.dir = dir;
    this.members = addresses.map(() => new Member());
  }

  async stop(): Promise<void> {
    for (const node of this.members.keys()) this.kill(node);
    await rm(this.dir, { recursive: true, force: true, maxRetries: 10 });
  }

  kill(node: number): void {
    const member = this.at(node);
    member.process?.kill("SIGKILL");
    member.process = undefined;
    member.role = "follower";
  }

  restart(node: number): void {
    const { name, address } = this.addresses[node] ?? { name: "", address: "" };
    const settings = { dir: join(this.dir, name), name, listen: address, members: this.addresses };
    const child = fork(PROGRAM, [JSON.stringify(settings)], { stdio: "inherit" });
    const member = this.at(node);
    member.process = child;
    member.isPaused = false;
    child.on("message", (report: Report) => {
      if (member.process === child) this.heard(node, member, report);
    });
  }

  /** The process stands still; the world goes on. */
  pause(node: number): void {
    this.at(node).process?.kill("SIGSTOP");
    this.at(node).isPaused = true;
  }

  resume(node: number): void {
    this.at(node).process?.kill("SIGCONT");
    this.at(node).isPaused = false;
  }

  /** A command, agreed on by so many members; tried again at others while there is time. Gives its index. */
  async one(count: number): Promise<number> {
    const command = `c${++this.lastCommand}`;
    const endMs = performance.now() + LIMIT_MS;
    for (let at = 0; performance.now() < endMs; at++) {
      const running = this.members.filter(({ process, isPaused }) => process !== undefined && !isPaused);
      const member = running[at % Math.max(1, running.length)];
      if (member === undefined) throw new Error("nobody is running");
      const index = await Promise.race([this.propose(member, command), sleep(2_000)]);
      if (index === undefined) continue;
      await this.until(`${count} members apply ${command}`, () => {
        return this.members.filter(({ commands }) => commands.get(index) === command).length >= count;
      });
      return index;
    }
    throw new Error(`${command} was not agreed on in time`);
  }

  /** The last index that anybody has applied. */
  get lastAgreed(): number {
    return Math.max(0, ...this.agreed.keys());
  }

  /** The leader of the newest term, among those that are running. */
  async oneLeader(): Promise<number> {
    await this.until("there is a leader", () => this.leader() !== undefined);
    return this.leader() ?? 0;
  }

  leader(): number | undefined {
    return [...this.members.keys()]
      .filter((node) => !this.at(node).isPaused && this.at(node).role === "leader")
      .sort((a, b) => this.at(b).term - this.at(a).term)[0];
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    for (const endMs = performance.now() + LIMIT_MS; !holds(); ) {
      if (this.violation !== undefined) throw this.violation;
      if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
      await sleep(10);
    }
    if (this.violation !== undefined) throw this.violation;
  }

  private propose(member: Member, command: string): Promise<number | undefined> {
    const id = this.waiting.size + 1;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      member.process?.send({ id, propose: command });
    });
  }

  private heard(node: number, member: Member, report: Report): void {
    switch (report.kind) {
      case "status": {
        member.role = report.role;
        member.term = report.term;
        if (report.role !== "leader") return;
        const other = this.leaders.get(report.term) ?? node;
        if (other !== node) this.violation ??= new Error(`term ${report.term} has two leaders`);
        this.leaders.set(report.term, node);
        return;
      }
      case "applied": {
        const { index, command } = report;
        const before = this.agreed.get(index) ?? command;
        if (before !== command) this.violation ??= new Error(`index ${index} has ${before} and ${command}`);
        this.agreed.set(index, command);
        member.commands.set(index, command);
        return;
      }
      case "answer":
        this.waiting.get(report.id)?.(report.index);
        return;
      default:
        report satisfies never;
    }
  }

  private at(node: number): Member {
    const member = this.members[node];
    if (member === undefined) throw new Error(`there is no node ${node}`);
    return member;
  }
}

function sleep(forMs: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), forMs);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await once(server.close(), "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
