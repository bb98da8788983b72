import type { PeerMessage, SnapshotMessage } from "../../src/core/index.js";
import type { LogLevel, Platform } from "../../src/platform/index.js";
import type { ProtocolRange } from "../../src/transport/hello.js";
import type { Asker, ForwardAnswer, SnapshotSink, TransportLimits } from "../../src/transport/index.js";
import { Transport } from "../../src/transport/index.js";
import { type MemoryNetwork, seededBelow } from "./memory-network.js";

export const CLUSTER = 2 ** 52 + 77;
export const GROUP = 1;

type Answer = ForwardAnswer | { readonly kind: "lost" };

interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A transport with an owner that writes down all it is told. */
export class Member {
  readonly id: number;
  readonly name: string;
  readonly messages: PeerMessage[] = [];
  /** Calls of `onMessages`. */
  deliveries = 0;
  readonly forwards: { readonly from: number; readonly requestId: number; readonly commands: readonly Uint8Array[] }[] =
    [];
  readonly answers: { readonly from: number; readonly requestId: number; readonly answer: Answer }[] = [];
  /** `up 2`, `down 2`, and the reasons of the latter. */
  readonly events: string[] = [];
  readonly reasons: string[] = [];
  readonly snapshots: SnapshotMessage[] = [];
  readonly logLines: LogLine[] = [];
  /** What an offered snapshot meets. */
  openSnapshot: (message: SnapshotMessage, fileBytes: number) => Promise<SnapshotSink | undefined> = () =>
    Promise.resolve(undefined);
  /** What a request is answered. */
  onRequest: (asker: Asker, body: Uint8Array) => Promise<Uint8Array> = () => Promise.reject(new Error("none"));
  readonly removed: Set<number> = new Set();
  /** `receiver 2`: refused by peer 2 with that code. */
  readonly refusals: string[] = [];
  /** Done within `onPeerDown`. */
  onDown: () => void = () => {};
  #transport: Transport | undefined;
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  private constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  static async open(id: number, options: MemberOptions): Promise<Member> {
    const name = options.name ?? `m${id}`;
    const member = new Member(id, name);
    member.#transport = await Transport.open({
      platform: {
        ...options.platform(name),
        logger: {
          log: (level, message, fields = {}) => {
            member.logLines.push({ level, message, fields });
            member.#happened();
          },
        },
      },
      self: {
        clusterId: options.clusterId ?? CLUSTER,
        memberId: id,
        incarnation: options.incarnation ?? 1000 + id,
        group: options.group ?? GROUP,
        name,
      },
      listen: options.listen ?? addressOf(id),
      limits: options.limits ?? {},
      ...(options.spoken === undefined ? {} : { spoken: options.spoken }),
      handlers: {
        onMessages: (_from, messages) => {
          member.deliveries++;
          for (const message of messages) member.messages.push(message);
          member.#happened();
        },
        onForward: (from, requestId, commands) => {
          member.forwards.push({ from, requestId, commands });
          member.#happened();
        },
        onForwardAnswer: (from, requestId, answer) => {
          member.answers.push({ from, requestId, answer });
          member.#happened();
        },
        openSnapshot: (_from, message, fileBytes) => member.openSnapshot(message, fileBytes),
        onSnapshot: (_from, message) => {
          member.snapshots.push(message);
          member.#happened();
        },
        onRequest: (asker, body) => member.onRequest(asker, body),
        isRemoved: (id) => member.removed.has(id),
        onRefused: (peer, code) => {
          member.refusals.push(`${code} ${peer}`);
          member.#happened();
        },
        onPeerUp: (peer) => {
          member.events.push(`up ${peer}`);
          member.#happened();
        },
        onPeerDown: (peer, reason) => {
          member.events.push(`down ${peer}`);
          member.reasons.push(reason);
          member.#happened();
          member.onDown();
        },
      },
    });
    return member;
  }

  get transport(): Transport {
    if (this.#transport === undefined) throw new Error("not open yet");
    return this.#transport;
  }

  /** Once this holds after something was told to this member, in real time. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ holds, resolve });
      this.#happened();
    });
  }

  #happened(): void {
    this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }

  lines(message: string): readonly LogLine[] {
    return this.logLines.filter((line) => line.message === message);
  }
}

export interface MemberOptions {
  readonly platform: (host: string) => Pick<Platform, "clock" | "network" | "random">;
  readonly name?: string;
  readonly clusterId?: number;
  readonly incarnation?: number;
  readonly group?: number;
  readonly listen?: string;
  readonly limits?: Partial<TransportLimits>;
  readonly spoken?: ProtocolRange;
}

export function addressOf(id: number): string {
  return `m${id}:2380`;
}

/** The platform of hosts on a network in memory. */
export function memoryPlatform(network: MemoryNetwork): MemberOptions["platform"] {
  const below = seededBelow(99);
  return (host) => ({ clock: network.clock, network: network.of(host), random: { below } });
}
