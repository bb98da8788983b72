/** Real processes of `balsa server`, started, killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noop } from "cockatiel";
import { Etcd3, type IStatusResponse } from "etcd3";

const COMMAND = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface MemberProcess {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly dataDir: string;
  child: ChildProcess | undefined;
  output: string;
  /** For this member alone, without retries. */
  readonly client: Etcd3;
}

/** Ports that were free a moment ago; distinct from each other. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** A client that never retries and never shuts a host out: each call is one attempt. */
export function plainClient(hosts: string | string[], deadlineMs = 5_000): Etcd3 {
  return new Etcd3({
    hosts,
    dialTimeout: 1_000,
    faultHandling: { host: () => noop, global: noop },
    defaultCallOptions: () => ({ deadline: Date.now() + deadlineMs }),
    grpcOptions: { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 200 },
  });
}

export class Cluster {
  readonly dir: string;
  readonly members: readonly MemberProcess[];
  private readonly flags: readonly string[];

  private constructor(dir: string, members: readonly MemberProcess[], flags: readonly string[]) {
    this.dir = dir;
    this.members = members;
    this.flags = flags;
  }

  static async create(size = 3, flags: readonly string[] = []): Promise<Cluster> {
    const dir = await mkdtemp(join(tmpdir(), "balsa-cluster-"));
    const ports = await freePorts(size * 2);
    const members = Array.from({ length: size }, (_, i): MemberProcess => {
      const name = `m${i + 1}`;
      const clientUrl = `http://127.0.0.1:${ports[i]}`;
      const peerUrl = `http://127.0.0.1:${ports[size + i]}`;
      const client = plainClient(clientUrl);
      return { name, clientUrl, peerUrl, dataDir: join(dir, name), child: undefined, output: "", client };
    });
    return new Cluster(dir, members, flags);
  }

  get endpoints(): string[] {
    return this.members.map((member) => member.clientUrl);
  }

  async startAll(): Promise<void> {
    for (const member of this.members) this.start(member);
    await this.leader();
  }

  start(member: MemberProcess): void {
    const cluster = this.members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(",");
    const child = spawn(
      process.execPath,
      [
        ...[COMMAND, "server", "--name", member.name, "--data-dir", member.dataDir],
        ...["--listen-client-urls", member.clientUrl, "--advertise-client-urls", member.clientUrl],
        ...["--listen-peer-urls", member.peerUrl, "--initial-advertise-peer-urls", member.peerUrl],
        ...["--initial-cluster", cluster, "--initial-cluster-state", "new"],
        ...this.flags,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    member.child = child;
    const keep = (chunk: Buffer): void => {
      member.output = (member.output + chunk.toString()).slice(-20_000);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
  }

  async stop(member: MemberProcess, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const { child } = member;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    member.child = undefined;
  }

  async status(member: MemberProcess): Promise<IStatusResponse | undefined> {
    try {
      return await member.client.maintenance.status();
    } catch {
      return undefined;
    }
  }

  /** The member that leads, once a member says so of itself. */
  async leader(limitMs = 20_000): Promise<MemberProcess> {
    return this.eventually(limitMs, "no leader", async () => {
      for (const member of this.members) {
        if (member.child === undefined) continue;
        const status = await this.status(member);
        if (status !== undefined && status.leader !== "0" && status.leader === status.header.member_id) return member;
      }
      return undefined;
    });
  }

  /** Asks again until there is an answer. */
  async eventually<T>(limitMs: number, what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const endMs = performance.now() + limitMs;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (performance.now() > endMs) throw new Error(`${what} within ${limitMs} ms\n${this.outputs()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Until every running member has applied what the leader had when asked. */
  async caughtUp(limitMs = 20_000): Promise<void> {
    const leader = await this.leader();
    const target = Number((await this.status(leader))?.raftIndex ?? 0);
    for (const member of this.members) {
      if (member.child === undefined) continue;
      await this.eventually(limitMs, `${member.name} not at ${target}`, async () => {
        const status = await this.status(member);
        return status !== undefined && Number(status.raftAppliedIndex) >= target ? true : undefined;
      });
    }
  }

  outputs(): string {
    return this.members.map((member) => `--- ${member.name}\n${member.output.slice(-3_000)}`).join("\n");
  }

  async remove(): Promise<void> {
    for (const member of this.members) {
      member.client.close();
      await this.stop(member, "SIGKILL");
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}
