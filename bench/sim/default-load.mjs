import { RaftNode } from "balsa/node";
import { World } from "balsa/sim";

/**
 * @typedef {object} Member
 * @property {RaftNode} raft
 * @property {() => Promise<void>} close
 *
 * @typedef {import("balsa/sim").WorldNode<Member>} Node
 */

const names = ["a", "b", "c", "d", "e"];
const members = names.map((name) => ({ name, address: `${name}:2380` }));

/** Keeps what it was given last: as little work of its own as can be. */
class Register {
  /** @type {Uint8Array} */
  value = new Uint8Array(0);

  /** @param {readonly import("balsa/node").Command[]} batch */
  apply(batch) {
    return batch.map(({ data }) => {
      const before = this.value;
      this.value = data;
      return before;
    });
  }

  snapshot() {
    return [this.value];
  }

  /** @param {AsyncIterable<Uint8Array>} content */
  async restore(content) {
    for await (const bytes of content) this.value = bytes;
  }
}

/** @param {string} name @returns {(platform: import("balsa/platform").Platform) => Promise<Member>} */
function boot(name) {
  return async (platform) => {
    const raft = await RaftNode.open({
      platform,
      dir: "/data",
      name,
      listen: `${name}:2380`,
      cluster: { bootstrap: { id: "bench", members } },
      stateMachine: new Register(),
    });
    return { raft, close: () => raft.close() };
  };
}

/** A cluster, its clients and what befalls it. */
class Load {
  /** @param {string} seed */
  constructor(seed) {
    this.world = new World({ seed, trace: "hash" });
    /** @type {readonly Node[]} */
    this.nodes = names.map((name) => this.world.addNode(name, boot(name)));
    this.operations = 0;
    this.faults = 0;
  }

  /** One operation each tenth of a second on the average: half of them writes, at any member. */
  operate() {
    const { prng } = this.world;
    this.world.after(prng.between(0, 200), "operation", () => {
      this.operate();
      const raft = prng.pick(this.nodes).program?.raft;
      if (raft === undefined) return;
      this.operations += 1;
      const ignored = () => {};
      if (prng.chance(0.5)) raft.propose(new Uint8Array(prng.between(10, 200))).then(ignored, ignored);
      else raft.read().then(ignored, ignored);
    });
  }

  /** One fault each second, which lasts 0.2 to 2 s. */
  harm() {
    const { world } = this;
    world.after(world.prng.between(500, 1_500), "fault", () => {
      this.harm();
      this.faults += 1;
      const [node, other] = world.prng.shuffled(this.nodes);
      if (node === undefined || other === undefined) return;
      const mend = this.inject(node, other);
      world.after(world.prng.between(200, 2_000), "mend", mend);
    });
  }

  /** @param {Node} node @param {Node} other @returns {() => void} what ends it */
  inject(node, other) {
    const { network, prng } = this.world;
    const restart = () => {
      if (!node.isUp) node.restart();
    };
    switch (prng.below(9)) {
      case 0:
        node.crash();
        return restart;
      case 1:
        node.powerOff();
        return restart;
      case 2:
        node.pause();
        return () => node.resume();
      case 3:
        this.world.isolate(node.name);
        return () => network.heal();
      case 4:
        network.block(node.name, other.name);
        return () => network.unblock(node.name, other.name);
      case 5:
        network.reset(node.name, other.name);
        return () => {};
      case 6:
        node.clockRate = prng.between(80, 125) / 100;
        return () => {
          node.clockRate = 1;
        };
      case 7:
        node.disk.slowness = prng.between(2, 50);
        return () => {
          node.disk.slowness = 1;
        };
      default:
        network.stall(node.name, other.name, prng.between(50, 500));
        return () => {};
    }
  }
}

/**
 * Lets a cluster live for so long, in virtual time.
 * @param {string} seed @param {number} simulatedSeconds
 */
export async function simulate(seed, simulatedSeconds) {
  const load = new Load(seed);
  load.operate();
  load.harm();
  await load.world.run({ forMs: simulatedSeconds * 1_000 });
  const { operations, faults } = load;
  return { operations, faults, events: load.world.trace.count, hash: load.world.trace.hash() };
}
