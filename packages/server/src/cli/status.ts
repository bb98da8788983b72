import {
  memberListRequest,
  memberListResponse,
  type StatusResponse,
  statusRequest,
  statusResponse,
} from "../rpc/messages.js";
import { CallError, EtcdClient } from "./etcd-client.js";
import { EXIT, lineOf } from "./exit-code.js";
import type { ConnectionFlags } from "./kv.js";
import { type TextOutput, table } from "./text-output.js";

export interface StatusFlags extends ConnectionFlags {
  readonly json: boolean;
}

/** What one endpoint says of itself. */
export interface EndpointStatus {
  readonly endpoint: string;
  readonly name: string;
  /** In hexadecimal, as etcd's tools have it. */
  readonly memberId: string;
  readonly isLeader: boolean;
  /** "" = none is known. */
  readonly leaderId: string;
  readonly term: number;
  readonly committed: number;
  readonly applied: number;
  readonly revision: number;
  readonly sizeBytes: number;
}

export interface UnreachableEndpoint {
  readonly endpoint: string;
  readonly problem: string;
}

/** A table of what each endpoint says of itself. Fails if any can't be reached. */
export async function showStatus(flags: StatusFlags, io: TextOutput): Promise<number> {
  const client = new EtcdClient(flags.endpoints, flags.timeoutMs);
  try {
    const all = await Promise.all(flags.endpoints.map((endpoint) => statusAt(client, endpoint)));
    io.out(flags.json ? `${JSON.stringify(all)}\n` : table([HEADINGS, ...all.map(rowOf)]));
    return all.some((status) => "problem" in status) ? EXIT.failure : EXIT.ok;
  } finally {
    client.close();
  }
}

export async function statusAt(client: EtcdClient, endpoint: string): Promise<EndpointStatus | UnreachableEndpoint> {
  try {
    const [statusBytes, listBytes] = await Promise.all([
      client.callAt(endpoint, "etcdserverpb.Maintenance/Status", statusRequest.encode({})),
      client.callAt(endpoint, "etcdserverpb.Cluster/MemberList", memberListRequest.encode({})),
    ]);
    const status = statusResponse.decode(statusBytes);
    const memberId = hex(status.header.memberId);
    const self = memberListResponse.decode(listBytes).members.find((member) => hex(member.ID) === memberId);
    return { endpoint, name: self?.name ?? "", memberId, ...figuresOf(status, memberId) };
  } catch (cause) {
    const problem = cause instanceof CallError ? cause.message : lineOf(cause);
    return { endpoint, problem };
  }
}

function figuresOf(status: StatusResponse, memberId: string): Omit<EndpointStatus, "endpoint" | "name" | "memberId"> {
  const leaderId = Number(status.leader) === 0 ? "" : hex(status.leader);
  return {
    isLeader: leaderId === memberId,
    leaderId,
    term: Number(status.raftTerm),
    committed: Number(status.raftIndex),
    applied: Number(status.raftAppliedIndex),
    revision: Number(status.header.revision),
    sizeBytes: Number(status.dbSize),
  };
}

const HEADINGS = ["ENDPOINT", "NAME", "MEMBER", "ROLE", "TERM", "COMMITTED", "APPLIED", "REVISION", "SIZE"];

function rowOf(status: EndpointStatus | UnreachableEndpoint): readonly string[] {
  if ("problem" in status) return [status.endpoint, status.problem];
  const { endpoint, name, memberId, isLeader, leaderId, term, committed, applied, revision, sizeBytes } = status;
  const role = isLeader ? "leader" : leaderId === "" ? "no leader" : "follower";
  const figures = [term, committed, applied, revision].map(String);
  return [endpoint, name, memberId, role, ...figures, readableSize(sizeBytes)];
}

function hex(id: StatusResponse["leader"]): string {
  return BigInt(id.toString()).toString(16);
}

function readableSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  let size = bytes;
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
