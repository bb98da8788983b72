/** Three members of RaftNode with a key-value store, in a simulated world, and clients that write down what they see. */
import {
  type History,
  HistoryRecorder,
  type KeyValueInput,
  type KeyValueOutput,
} from "../../src/linearizability/index.js";
import { RaftNode, type StateMachine } from "../../src/node/index.js";
import { World, type WorldNode } from "../../src/sim/index.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What is proposed, as JSON. */
type Command = Extract<KeyValueInput, { readonly kind: "put" | "compare-and-set" }>;

class KeyValueStore implements StateMachine {
  values: Map<string, string> = new Map();

  apply(batch: readonly { readonly data: Uint8Array }[]): Uint8Array[] {
    return batch.map(({ data }) => encoder.encode(JSON.stringify(this.#apply(JSON.parse(decoder.decode(data))))));
  }

  snapshot(): Iterable<Uint8Array> {
    return [encoder.encode(JSON.stringify([...this.values]))];
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of content) text += decoder.decode(chunk, { stream: true });
    this.values = new Map(JSON.parse(text === "" ? "[]" : text));
  }

  #apply(command: Command): KeyValueOutput {
    if (command.kind === "put") {
      this.values.set(command.key, command.value);
      return { kind: "done" };
    }
    const swapped = this.values.get(command.key) === command.expected;
    if (swapped && command.value !== undefined) this.values.set(command.key, command.value);
    return { kind: "compared", swapped };
  }
}

interface Member {
  readonly raft: RaftNode;
  readonly store: KeyValueStore;
  close(): Promise<void>;
}

export interface ClusterRunOptions {
  readonly seed: string;
  /** Confirmed: by `RaftNode.read` first. Local: what the member happens to have, which is wrong. */
  readonly reads: "confirmed" | "local";
  readonly clients: number;
  readonly forMs: number;
}

const CLIENT_TIMEOUT_MS = 1_500;

class KeyValueCluster {
  readonly world: World;
  readonly nodes: readonly WorldNode<Member>[];
  readonly recorder: HistoryRecorder<KeyValueInput, KeyValueOutput> = new HistoryRecorder();
  readonly #options: ClusterRunOptions;
  #lastValue = 0;

  constructor(options: ClusterRunOptions) {
    this.#options = options;
    this.world = new World({ seed: options.seed, trace: "hash" });
    const names = ["a", "b", "c"];
    const members = names.map((name) => ({ name, address: `${name}:2380` }));
    this.nodes = names.map((name) =>
      this.world.addNode(name, async (platform): Promise<Member> => {
        const store = new KeyValueStore();
        const raft = await RaftNode.open({
          platform,
          dir: "/data",
          name,
          listen: `${name}:2380`,
          cluster: { bootstrap: { id: "key-value", members } },
          stateMachine: store,
          snapshotLogEntries: 60,
          keepEntries: 10,
        });
        return { raft, store, close: () => raft.close() };
      }),
    );
  }

  /** One operation after the other, at whichever member is up. What a dead member never answers times out. */
  async client(name: string): Promise<void> {
    const { world, recorder } = this;
    while (world.nowMs < this.#options.forMs) {
      await this.#pause(world.prng.between(1, 60));
      const up = this.nodes.filter((node) => node.program !== undefined);
      const member = up[world.prng.below(3)]?.running;
      if (member === undefined) continue;
      const input = this.#drawInput();
      const operation = recorder.invoke(name, input, world.nowMs);
      const outcome = await Promise.race([this.#call(member, input), this.#pause(CLIENT_TIMEOUT_MS)]);
      if (outcome !== undefined && outcome !== "not-applied") recorder.complete(operation, outcome, world.nowMs);
      else if (outcome === "not-applied" || input.kind === "get") recorder.fail(operation, world.nowMs);
      else recorder.lose(operation, world.nowMs);
    }
  }

  /** Undefined: nobody knows. */
  async #call(member: Member, input: KeyValueInput): Promise<KeyValueOutput | "not-applied" | undefined> {
    try {
      if (input.kind === "get") {
        if (this.#options.reads === "confirmed") await member.raft.read({ timeoutMs: CLIENT_TIMEOUT_MS });
        return { kind: "value", value: member.store.values.get(input.key) };
      }
      const data = encoder.encode(JSON.stringify(input));
      const { result } = await member.raft.propose(data, { timeoutMs: CLIENT_TIMEOUT_MS });
      return JSON.parse(decoder.decode(result));
    } catch (error) {
      return (error as { applied?: string }).applied === "not-applied" ? "not-applied" : undefined;
    }
  }

  #drawInput(): KeyValueInput {
    const { prng } = this.world;
    const key = prng.pick(["x", "y", "z"]);
    const value = `v${++this.#lastValue}`;
    if (prng.chance(0.5)) return { kind: "get", key };
    if (prng.chance(0.6)) return { kind: "put", key, value };
    const seen = prng.pick(this.nodes).program?.store.values.get(key);
    return { kind: "compare-and-set", key, expected: seen, value };
  }

  /** Crashes, restarts, partitions and one-way blocks, each for a while. */
  async storm(): Promise<void> {
    const { world, nodes } = this;
    while (world.nowMs < this.#options.forMs) {
      await world.run({ forMs: world.prng.between(100, 900) });
      const node = world.prng.pick(nodes);
      const other = world.prng.pick(nodes);
      switch (world.prng.below(6)) {
        case 0:
          if (nodes.every((one) => one.isUp)) node.crash();
          break;
        case 1:
        case 2:
          world.isolate(this.#leader?.name ?? node.name);
          break;
        case 3:
          if (node !== other) world.network.block(node.name, other.name);
          break;
        default:
          world.network.heal();
          for (const one of nodes) if (!one.isUp) one.restart();
      }
    }
  }

  get #leader(): WorldNode<Member> | undefined {
    return this.nodes.find((node) => node.program?.raft.status().role === "leader");
  }

  #pause(forMs: number): Promise<undefined> {
    return new Promise((resolve) => {
      this.world.after(forMs, "client", () => resolve(undefined));
    });
  }
}

/** What clients saw of a cluster through a storm of faults, in virtual time. */
export async function keyValueHistory(options: ClusterRunOptions): Promise<History<KeyValueInput, KeyValueOutput>> {
  const cluster = new KeyValueCluster(options);
  await cluster.world.run({
    until: () => cluster.nodes.some(({ program }) => program?.raft.status().role === "leader"),
  });
  const clients = Array.from({ length: options.clients }, (_, i) => cluster.client(`client ${i + 1}`));
  await cluster.storm();
  await cluster.world.settle(Promise.all(clients));
  return cluster.recorder.history();
}
