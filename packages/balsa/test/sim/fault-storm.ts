/** Members of RaftNode, the one that ships, under every fault that a world has. */
import { RaftNode, type StateMachine } from "../../src/node/index.js";
import type { Platform } from "../../src/platform/index.js";
import type { Closeable, WorldOptions } from "../../src/sim/index.js";
import { longTailedDelay, uniformDelay, World, type WorldNode } from "../../src/sim/index.js";

const nothing = (): void => {};

const counting = (): StateMachine => {
  let count = 0;
  return {
    apply: (batch) => batch.map(() => new Uint8Array([(count += 1) & 0xff])),
    snapshot: () => [new Uint8Array([count & 0xff])],
    restore: async (content) => {
      for await (const bytes of content) count = bytes[0] ?? 0;
    },
  };
};

interface Member extends Closeable {
  /** Undefined: it did not start, its disk is broken. */
  readonly raft: RaftNode | undefined;
}

const names = ["a", "b", "c"];

function boot(name: string): (platform: Platform) => Promise<Member> {
  const members = names.map((one) => ({ name: one, address: `${one}:2380` }));
  return async (platform) => {
    const opening = RaftNode.open({
      platform,
      dir: "/data",
      name,
      listen: `${name}:2380`,
      cluster: { bootstrap: { id: "storm", members } },
      stateMachine: counting(),
      snapshotLogEntries: 20,
      keepEntries: 5,
    });
    try {
      const raft = await opening;
      return { raft, close: () => raft.close() };
    } catch (error) {
      platform.logger.log("error", "did not start", { error });
      return { raft: undefined, close: async () => {} };
    }
  };
}

export type FaultName = (typeof faults)[number][0];

/** One of each kind, with its end where it has one. */
const faults = [
  ["crash", (_world, node) => node.crash()],
  ["kill", (_world, node) => node.kill()],
  ["power-off", (_world, node) => node.powerOff()],
  [
    "wipe",
    (_world, node) => {
      node.kill();
      node.wipe();
    },
  ],
  ["pause", (_world, node) => node.pause()],
  [
    "clock-rate",
    (world, node) => {
      node.clockRate = world.prng.between(80, 125) / 100;
    },
  ],
  ["clock-jump", (world, node) => node.jumpClock(world.prng.between(-5_000, 5_000))],
  [
    "capacity",
    (_world, node) => {
      node.disk.capacityBytes = node.disk.usedBytes;
    },
  ],
  [
    "slowness",
    (world, node) => {
      node.disk.slowness = world.prng.between(2, 100);
    },
  ],
  [
    "sync-error",
    (_world, node) => {
      node.disk.syncError = "io";
    },
  ],
  ["rot", (world, node) => node.disk.rot(world.prng)],
  ["unreadable", (world, node) => node.disk.spoilSector(world.prng)],
  [
    "fault",
    (world, node) => {
      node.disk.fault = () => (world.prng.chance(0.05) ? "io" : undefined);
    },
  ],
  ["block", ({ network }, node, other) => network.block(node.name, other.name)],
  ["partition", ({ network }, node, other) => network.partition([node.name], [other.name])],
  ["reset", ({ network }, node, other) => network.reset(node.name, other.name)],
  ["sever", ({ network }, node, other) => network.sever(node.name, other.name)],
  ["stall", (world, node, other) => world.network.stall(node.name, other.name, world.prng.between(1, 3_000))],
  [
    "long-tails",
    ({ network }, node, other) =>
      network.setLink(node.name, other.name, { delayUs: longTailedDelay(100, 2_000_000, 0.3) }),
  ],
  [
    "slow-link",
    ({ network }, node, other) =>
      network.setLink(node.name, other.name, { bytesPerMs: 10, delayUs: uniformDelay(1_000, 9_000), lossChance: 0.1 }),
  ],
] as const satisfies readonly (readonly [string, (world: World, node: WorldNode, other: WorldNode) => unknown])[];

export const faultNames: readonly FaultName[] = faults.map(([name]) => name);

function heal(world: World, nodes: readonly WorldNode[]): void {
  world.network.heal();
  for (const node of nodes) {
    node.clockRate = 1;
    node.disk.capacityBytes = Number.POSITIVE_INFINITY;
    node.disk.slowness = 1;
    node.disk.syncError = undefined;
    node.disk.fault = undefined;
    for (const other of nodes) world.network.setLink(node.name, other.name);
    node.resume();
    if (!node.isUp) node.restart();
  }
}

export interface Storm {
  readonly world: World;
  readonly injected: ReadonlySet<FaultName>;
  readonly acknowledged: number;
}

/** So many faults of all kinds, drawn from the seed, with proposals and reads in between, and healing now and then. */
export async function runStorm(options: WorldOptions, count: number): Promise<Storm> {
  const world = new World(options);
  const nodes = names.map((name) => world.addNode(name, boot(name)));
  const injected = new Set<FaultName>();
  let acknowledged = 0;
  await world.run({ forMs: 3_000 });
  for (let i = 0; i < count; i += 1) {
    const [node, other] = world.prng.shuffled(nodes);
    const [name, inject] = faults[i % faults.length] ?? faults[0];
    if (node === undefined || other === undefined) throw new Error("there are three nodes");
    world.note(name);
    inject(world, node, other);
    injected.add(name);
    for (let call = world.prng.below(6); call > 0; call -= 1) {
      const raft = world.prng.pick(nodes).program?.raft;
      raft?.propose(new Uint8Array(world.prng.below(300))).then(() => {
        acknowledged += 1;
      }, nothing);
      raft?.read().then(nothing, nothing);
      await world.run({ forMs: world.prng.below(50) });
    }
    await world.run({ forMs: world.prng.below(1_000) });
    if (world.prng.chance(0.3)) heal(world, nodes);
  }
  heal(world, nodes);
  await world.run({ forMs: 3_000 });
  return { world, injected, acknowledged };
}
