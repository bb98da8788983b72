/** Members with the server's key-value state and services, all but gRPC, in a simulated world; and clients that keep a history. */

import { type History, HistoryRecorder } from "balsa/linearizability";
import { RaftNode } from "balsa/node";
import { type Prng, World, type WorldNode } from "balsa/sim";
import { EtcdState } from "../../src/machine/etcd-state.js";
import type { PutRequest, RequestOp } from "../../src/mvcc/request.js";
import { KvService } from "../../src/rpc/kv-service.js";
import { deleteOp, deleteRange, put, putOp, range, rangeOp, txn } from "../mvcc/requests.js";
import { isRead, type KvInput, type KvOutput } from "./etcd-model.js";
import { TaggedCommands } from "./tagged-commands.js";
import { call } from "./wire-client.js";

interface Server {
  readonly raft: RaftNode;
  readonly state: EtcdState;
  readonly kv: KvService;
  close(): Promise<void>;
}

export interface ServersOptions {
  readonly seed: string;
  readonly members: number;
  readonly clients: number;
  /** How long faults and clients go on. */
  readonly forMs: number;
  /** Local: what the member happens to have (a client's `serializable`), which is not linearizable. */
  readonly reads?: "confirmed" | "local";
}

const REQUEST_TIMEOUT_MS = 1_500;
const KEYS = ["a", "b", "c", "d"];

export class SimulatedServers {
  readonly world: World;
  readonly nodes: readonly WorldNode<Server>[];
  readonly recorder: HistoryRecorder<KvInput, KvOutput> = new HistoryRecorder();
  /** Whose they are and in which order they were applied. */
  readonly commands: TaggedCommands = new TaggedCommands();
  private readonly options: ServersOptions;
  private lastValue = 0;

  constructor(options: ServersOptions) {
    this.options = options;
    this.world = new World({ seed: options.seed, trace: "hash" });
    const names = ["a", "b", "c", "d", "e"].slice(0, options.members);
    const members = names.map((name) => ({ name, address: `${name}:2380` }));
    this.nodes = names.map((name) =>
      this.world.addNode(name, async (platform): Promise<Server> => {
        const state = new EtcdState();
        const raft = await RaftNode.open({
          platform,
          dir: "/data",
          name,
          listen: `${name}:2380`,
          cluster: { bootstrap: { id: "servers", members } },
          stateMachine: this.commands.untagging(state),
          snapshotLogEntries: 40,
          keepEntries: 10,
        });
        const { clusterId, memberId } = raft.status();
        const responder = { clusterId, memberId };
        const consensus = this.commands.tagging(raft);
        const kv = new KvService({ consensus, state, responder, timeoutMs: REQUEST_TIMEOUT_MS });
        return { raft, state, kv, close: () => raft.close() };
      }),
    );
  }

  /** Clients through a storm of faults, then until all of them have their answers or have given up. */
  async run(): Promise<History<KvInput, KvOutput>> {
    const { world, nodes, options } = this;
    await world.run({ until: () => nodes.some(({ program }) => program?.raft.status().role === "leader") });
    const clients = Array.from({ length: options.clients }, (_, i) => this.client(`client ${i + 1}`));
    await this.storm();
    await world.settle(Promise.all(clients));
    return this.recorder.history();
  }

  /** Heals everything; then all members must come to the same state, byte for byte. Gives that state. */
  async agreedSnapshot(): Promise<Buffer> {
    const { world, nodes } = this;
    world.network.heal();
    for (const node of nodes) if (!node.isUp) node.restart();
    await world.run({
      until: () => {
        const statuses = nodes.map(({ program }) => program?.raft.status());
        const first = statuses[0];
        return statuses.every(
          (s) => s !== undefined && s.leader !== 0 && s.applied === s.lastIndex && s.applied === first?.applied,
        );
      },
    });
    const [first, ...others] = nodes.map((node) => Buffer.concat([...node.running.state.snapshot()]));
    if (first === undefined) throw new Error("no members");
    for (const other of others) if (!first.equals(other)) throw new Error("members hold different states");
    return first;
  }

  /** One request after the other, at whichever member is up. */
  private async client(name: string): Promise<void> {
    const { world, recorder } = this;
    while (world.nowMs < this.options.forMs) {
      await this.pause(world.prng.between(1, 80));
      const server = world.prng.pick(this.nodes).program;
      if (server === undefined) continue;
      const input = this.drawRequest(world.prng, server);
      const operation = recorder.invoke(name, input, world.nowMs);
      const outcome = await Promise.race([this.ask(server, input, operation), this.pause(REQUEST_TIMEOUT_MS + 100)]);
      if (outcome !== undefined && outcome !== "not-applied") recorder.complete(operation, outcome, world.nowMs);
      else if (outcome === "not-applied" || isRead(input)) recorder.fail(operation, world.nowMs);
      else recorder.lose(operation, world.nowMs);
    }
  }

  /** undefined: nobody knows. */
  private async ask(server: Server, input: KvInput, operation: number): Promise<KvOutput | "not-applied" | undefined> {
    try {
      // A service proposes at once or not at all.
      this.commands.operation = operation;
      return await call(server.kv, input);
    } catch (error) {
      return (error as { applied?: string }).applied === "not-applied" ? "not-applied" : undefined;
    }
  }

  private drawRequest(prng: Prng, server: Server): KvInput {
    const key = prng.pick(KEYS);
    const serializable = this.options.reads === "local";
    const { revision } = server.state.store;
    const draw = prng.below(100);
    if (draw < 30) return { kind: "put", request: this.drawPut(key) };
    if (draw < 50)
      return { kind: "range", request: range(key, { serializable, rangeEnd: prng.chance(0.3) ? "\0" : "" }) };
    // A revision of the past: compacted perhaps.
    if (draw < 60) return { kind: "range", request: range(key, { revision: prng.between(1, revision + 1) }) };
    if (draw < 68) return { kind: "delete", request: deleteRange(key, { prevKv: true }) };
    if (draw < 73) return { kind: "compact", request: { revision: prng.between(0, revision) } };
    if (draw < 80) return { kind: "txn", request: txn({ success: [rangeOp(key), rangeOp("a", { rangeEnd: "c" })] }) };
    return { kind: "txn", request: this.drawTxn(prng, key, server) };
  }

  private drawPut(key: string): PutRequest {
    return put(key, `v${++this.lastValue}`, { prevKv: true });
  }

  /** Compare and set on one key, two keys moved at once, or a put only where the key is new. */
  private drawTxn(prng: Prng, key: string, server: Server): Extract<KvInput, { kind: "txn" }>["request"] {
    const other = prng.pick(KEYS.filter((one) => one !== key));
    const seen = server.state.store.find(key, server.state.store.revision);
    const write: RequestOp = putOp(key, `v${++this.lastValue}`);
    const compare = { key, rangeEnd: "", result: "equal" } as const;
    switch (prng.below(3)) {
      case 0: {
        const compares = [{ ...compare, target: "mod", operand: seen?.modRevision ?? 0 } as const];
        return txn({ compare: compares, success: [write, rangeOp(key)], failure: [rangeOp(key)] });
      }
      case 1: {
        const compares = [{ ...compare, target: "value", operand: seen?.value ?? "none" } as const];
        return txn({
          compare: compares,
          success: [deleteOp(key), putOp(other, `v${this.lastValue}`)],
          failure: [write],
        });
      }
      default: {
        const compares = [{ ...compare, target: "version", operand: 0 } as const];
        return txn({ compare: compares, success: [write], failure: [deleteOp(key, { prevKv: true })] });
      }
    }
  }

  /** Crashes of a minority or of all, restarts, partitions and one-way blocks, each for a while. */
  private async storm(): Promise<void> {
    const { world, nodes } = this;
    const { prng } = world;
    while (world.nowMs < this.options.forMs) {
      await world.run({ forMs: prng.between(100, 900) });
      const node = prng.pick(nodes);
      const other = prng.pick(nodes);
      switch (prng.below(7)) {
        case 0:
          if (nodes.filter((one) => !one.isUp).length < (nodes.length - 1) / 2) node.crash();
          break;
        case 1:
          world.isolate(nodes.find(({ program }) => program?.raft.status().role === "leader")?.name ?? node.name);
          break;
        case 2:
          if (node !== other) world.network.block(node.name, other.name);
          break;
        case 3:
          if (prng.chance(0.2)) for (const one of nodes) one.crash();
          break;
        default:
          world.network.heal();
          for (const one of nodes) if (!one.isUp) one.restart();
      }
    }
  }

  private pause(forMs: number): Promise<undefined> {
    return new Promise((resolve) => {
      this.world.after(forMs, "client", () => resolve(undefined));
    });
  }
}
