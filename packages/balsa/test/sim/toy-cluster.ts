import type { Connection, Platform } from "../../src/platform/index.js";
import type { Closeable, WorldNode } from "../../src/sim/index.js";
import { World, type WorldOptions } from "../../src/sim/index.js";

/** The nodes of the toy, each of which dials the next. */
const NAMES = ["a", "b", "c"];

/**
 * A program that uses everything a platform has: it keeps a token going round, adds a number of its own to a file each
 * time it comes by, and passes it on when that is durable.
 */
class Toy implements Closeable {
  readonly #platform: Platform;
  readonly #name: string;
  #onwards: Connection | undefined;
  #isClosed = false;
  seen = 0;

  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.#name = name;
  }

  async open(): Promise<void> {
    const { files, network } = this.#platform;
    await files.makeDir("data");
    await files.syncDir("/");
    await network.listen(`${this.#name}:7000`, () => ({
      onOpen: () => {},
      onData: (bytes) => void this.#received(bytes.length),
      onDrain: () => {},
      onClose: () => {},
    }));
    this.#dial();
    this.#tick();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onwards?.close();
  }

  #dial(): void {
    if (this.#isClosed) return;
    const next = NAMES[(NAMES.indexOf(this.#name) + 1) % NAMES.length] ?? "a";
    const connection = this.#platform.network.connect(`${next}:7000`, {
      onOpen: () => {
        this.#onwards = connection;
      },
      onData: () => {},
      onDrain: () => {},
      onClose: (reason) => {
        this.#onwards = undefined;
        this.#platform.logger.log("info", "disconnected", { kind: reason.kind });
        this.#platform.clock.setTimer(5 + this.#platform.random.below(10), () => this.#dial());
      },
    });
  }

  #tick(): void {
    if (this.#isClosed) return;
    this.#platform.clock.nextTurn(() => this.#onwards?.write([new Uint8Array(20), new Uint8Array(30)]));
    this.#platform.clock.setTimer(10 + this.#platform.random.below(5), () => this.#tick());
  }

  async #received(lengthBytes: number): Promise<void> {
    this.seen += 1;
    const path = `data/${this.#platform.random.below(4)}`;
    const { files } = this.#platform;
    const file = await files.open(path, "create").catch(() => files.open(path, "write"));
    const end = await file.sizeBytes();
    await file.write(end, [new Uint8Array(lengthBytes).fill(this.#platform.random.below(256))]);
    await Promise.all([file.sync(), files.syncDir("data")]);
    await file.close();
  }
}

export interface ToyCluster {
  readonly world: World;
  readonly nodes: readonly WorldNode<Toy>[];
}

export function startToys(options: WorldOptions): ToyCluster {
  const world = new World(options);
  const nodes = NAMES.map((name) =>
    world.addNode(name, async (platform) => {
      const toy = new Toy(platform, name);
      await toy.open();
      return toy;
    }),
  );
  return { world, nodes };
}

/** Half a virtual second with a crash, a restart, a partition, a one-way block and a reset in it. */
export async function runStory(options: WorldOptions): Promise<ToyCluster> {
  const cluster = startToys(options);
  const { world, nodes } = cluster;
  const [a, b] = nodes;
  await world.run({ until: () => nodes.every((node) => (node.program?.seen ?? 0) > 3) });
  a?.crash();
  await world.run({ forMs: 50 });
  a?.restart();
  world.network.partition(["a"], ["b", "c"]);
  await world.run({ forMs: 100 });
  world.network.heal();
  world.network.block("b", "c");
  world.after(60, "unblock", () => world.network.unblock("b", "c"));
  await world.run({ forMs: 100 });
  world.network.reset("a", "b");
  await world.settle(b?.stop() ?? Promise.resolve());
  b?.restart();
  await world.run({ forMs: 150 });
  return cluster;
}
