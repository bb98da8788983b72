import { SimulatedCluster } from "./simulated-cluster.js";

/** Of the odd seeds: a few entries at the most, so that nearly all that is sent and applied is read back from disk. */
const TIGHT_CACHE_BYTES = 1000;

/** Twenty simulated seconds of crashes, restarts, partitions and resets, drawn from the seed; then peace. */
export async function storm(seed: string): Promise<SimulatedCluster> {
  const cache = Number(seed.at(-1)) % 2 === 1 ? { logCacheBytes: TIGHT_CACHE_BYTES } : {};
  const cluster = new SimulatedCluster({ seed, trace: "hash" }, { snapshotLogEntries: 40, keepEntries: 10, ...cache });
  const { world } = cluster;
  const draw = (bound: number): number => world.prng.below(bound);
  const anyNode = () => cluster.nodes[draw(cluster.nodes.length)]!;
  const names = cluster.nodes.map((node) => node.name);
  while (world.nowMs < 20_000) {
    switch (draw(10)) {
      case 0: {
        // At most a minority is down: a majority is there to go on.
        const node = anyNode();
        if (cluster.nodes.every((other) => other === node || other.isUp)) node.crash();
        break;
      }
      case 1: {
        const alone = names[draw(names.length)]!;
        world.network.partition(
          [alone],
          names.filter((name) => name !== alone),
        );
        break;
      }
      case 2:
        world.network.block(names[draw(names.length)]!, names[draw(names.length)]!);
        break;
      case 3:
        world.network.reset(names[draw(names.length)]!, names[draw(names.length)]!);
        break;
      case 4:
        for (const node of cluster.nodes) if (draw(3) === 0) node.crash();
        break;
      case 5:
        world.network.heal();
        break;
      default:
        for (const node of cluster.nodes) if (!node.isUp) node.restart();
    }
    for (let i = draw(12); i > 0; i--) {
      const node = cluster.up[draw(3)];
      if (node !== undefined) cluster.propose(node);
      await world.run({ forMs: draw(40) });
    }
    await world.run({ forMs: draw(300) });
  }
  world.network.heal();
  for (const node of cluster.nodes) if (!node.isUp) node.restart();
  await world.run({ until: () => cluster.up.length === 3, limitMs: 5_000 });
  // A leader within a few election timeouts, and everybody caught up soon after.
  await world.run({ forMs: 6_000 });
  await cluster.untilAgreed();
  cluster.agreedJournal();
  return cluster;
}
