import { resolve as absolutePath } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { requireFree } from "../member/listen-probe.js";
import { ServerError } from "../server-error.js";
import { EtcdClient } from "./etcd-client.js";
import { EXIT } from "./exit-code.js";
import { LocalMember, planCluster } from "./local-cluster.js";
import { LOCAL_ENDPOINTS } from "./local-ports.js";
import { statusAt } from "./status.js";
import { type TextOutput, table } from "./text-output.js";

export interface UpFlags {
  readonly dataDir: string;
  /** One a member. */
  readonly clientPorts: readonly number[];
  readonly peerPorts: readonly number[];
}

const POLL_MS = 50;
const POLL_TIMEOUT_MS = 1_000;
/** Longer than any election takes, shorter than anybody's patience. */
const LEADER_LIMIT_MS = 30_000;

/** Runs a cluster of processes on this machine until it is told to stop, or none is left. */
export async function runUp(flags: UpFlags, io: TextOutput): Promise<number> {
  const dir = absolutePath(flags.dataDir);
  const plans = planCluster(dir, flags.clientPorts, flags.peerPorts);
  for (const { clientAddress, peerAddress } of plans) {
    await requireFreePort("client", clientAddress);
    await requireFreePort("peer", peerAddress);
  }
  const members = plans.map((plan) => LocalMember.start(plan, plans));
  const cluster = new UpCluster(members, io);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => cluster.toldToStop());
  return cluster.run(dir);
}

/** Tells people what becomes of the members, and stops them when told to. */
class UpCluster {
  private readonly members: readonly LocalMember[];
  private readonly io: TextOutput;
  private readonly client: EtcdClient;
  private stopping = false;
  private introduced = false;

  constructor(members: readonly LocalMember[], io: TextOutput) {
    this.members = members;
    this.io = io;
    const endpoints = members.map((member) => member.plan.clientAddress);
    this.client = new EtcdClient(endpoints, POLL_TIMEOUT_MS);
  }

  async run(dir: string): Promise<number> {
    for (const member of this.members) {
      member.onWords = (words) => this.io.error(`balsa: ${member.plan.name}: ${words}\n`);
    }
    const allEnded = Promise.all(this.members.map((member) => this.follow(member)));
    const leader = await this.findLeader();
    if (leader !== undefined) {
      this.introduced = true;
      this.io.out(introduction(this.members, leader, dir));
    } else if (this.running().length > 0 && !this.stopping) {
      this.io.error(`balsa: no member leads after ${LEADER_LIMIT_MS / 1000} s; their logs in ${dir} may say why\n`);
    }
    await allEnded;
    this.client.close();
    if (!this.stopping) {
      this.io.error("balsa: no member is left\n");
      return EXIT.failure;
    }
    this.io.out(`stopped; the data stays in ${dir}\n`);
    return EXIT.ok;
  }

  /** The first time in good order; the second time at once. */
  toldToStop(): void {
    if (this.stopping) {
      for (const member of this.members) member.kill();
      return;
    }
    this.stopping = true;
    this.io.out("\nstopping\n");
    for (const member of this.members) void member.stop();
  }

  private running(): readonly LocalMember[] {
    return this.members.filter((member) => member.isRunning);
  }

  /** Until the member has ended, which is told, and what follows from it. */
  private async follow(member: LocalMember): Promise<void> {
    const how = await member.ended;
    if (this.stopping) return;
    const { name } = member.plan;
    this.io.error(`balsa: ${name} (process ${member.pid}) has ended: ${how}. It stays down.\n`);
    if (!this.introduced) return;
    const left = this.running().length;
    if (left === 0) return;
    if (left <= this.members.length / 2) {
      this.io.error("balsa: no majority is left: nothing can be written until it is back\n");
      return;
    }
    const leader = await this.findLeader();
    if (leader !== undefined) this.io.out(`${leader.plan.name} leads\n`);
  }

  /** The running member that says of itself that it leads; undefined when there is none for too long, or no use. */
  private async findLeader(): Promise<LocalMember | undefined> {
    const endMs = performance.now() + LEADER_LIMIT_MS;
    while (!this.stopping && performance.now() < endMs && this.running().length > 0) {
      const statuses = await Promise.all(
        this.running().map(async (member) => {
          const status = await statusAt(this.client, member.plan.clientAddress);
          return "isLeader" in status && status.isLeader ? member : undefined;
        }),
      );
      const leader = statuses.find((member) => member?.isRunning === true);
      if (leader !== undefined) return leader;
      await sleep(POLL_MS);
    }
    return undefined;
  }
}

function introduction(members: readonly LocalMember[], leader: LocalMember, dir: string): string {
  const rows = members.map((member) => {
    const { name, clientAddress, peerAddress } = member.plan;
    const role = member === leader ? "leader" : "";
    return [`  ${name}`, `process ${member.pid}`, `clients ${clientAddress}`, `peers ${peerAddress}`, role];
  });
  const endpoints = members.map((member) => member.plan.clientAddress).join(",");
  const flag = endpoints === LOCAL_ENDPOINTS.join(",") ? "" : ` --endpoints ${endpoints}`;
  return `
${members.length} members are running, ${leader.plan.name} leads.

${table(rows)}
  endpoints  ${endpoints}
  data       ${dir}
  logs       ${members.map((member) => member.plan.logFile).join(" ")}

Three things to try, from another shell:

  etcdctl --endpoints ${endpoints} put greeting hello
  etcdctl --endpoints ${endpoints} get greeting
  kill -9 ${leader.pid}    (the leader; then write on: another one leads)

Without etcdctl: npx balsa kv put greeting hello${flag}
What they are at: npx balsa status${flag}
Ctrl-C stops them all; the next start finds the data again.
`;
}

async function requireFreePort(what: "client" | "peer", address: string): Promise<void> {
  try {
    await requireFree(`${what} address`, address);
  } catch (cause) {
    if (!(cause instanceof ServerError) || cause.code !== "address-in-use") throw cause;
    throw new ServerError("address-in-use", `${cause.message}; other ports: --${what}-ports A,B,C`, cause);
  }
}
