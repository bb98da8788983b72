import { onTestFinished } from "vitest";
import type { TransportLimits } from "../../src/transport/index.js";
import { addressOf, Member, type MemberOptions, memoryPlatform } from "./member.js";
import { MemoryNetwork } from "./memory-network.js";
import { VirtualClock } from "./virtual-clock.js";

export interface Cluster {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  open(id: number, options?: Partial<MemberOptions>): Promise<Member>;
}

/** An empty network on a virtual clock. What was opened on it is closed at the test's end, and must leave nothing. */
export function newCluster(seed: number = 1): Cluster {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock, seed);
  const platform = memoryPlatform(network);
  const members: Member[] = [];
  onTestFinished(async () => {
    for (const member of members) await member.transport.close();
    await clock.run(10_000);
    if (clock.armed > 0) throw new Error(`${clock.armed} timers are left after everything was closed`);
    if (network.ends.size > 0) throw new Error(`${network.ends.size} connections are left after everything was closed`);
  });
  return {
    clock,
    network,
    open: async (id, options = {}) => {
      const member = await Member.open(id, { platform, ...options });
      members.push(member);
      return member;
    },
  };
}

/** Members 1 and 2, each with the other as its peer, connected both ways. */
export async function twoMembers(
  limits: Partial<TransportLimits> = {},
  seed: number = 1,
): Promise<Cluster & { readonly a: Member; readonly b: Member }> {
  const cluster = newCluster(seed);
  const a = await cluster.open(1, { limits });
  const b = await cluster.open(2, { limits });
  a.transport.setPeer(2, addressOf(2));
  b.transport.setPeer(1, addressOf(1));
  await cluster.clock.until("both are up", () => a.events.includes("up 2") && b.events.includes("up 1"));
  return { ...cluster, a, b };
}
