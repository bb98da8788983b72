/** Members of RaftNode, the one that ships, in a simulated world: three, unless others are named. */
import type { BalsaError } from "../../src/core/index.js";
import {
  type Applied,
  RaftNode,
  type RaftNodeEvent,
  type RaftNodeOptions,
  type StateMachine,
} from "../../src/node/index.js";
import type { Platform } from "../../src/platform/index.js";
import { World, type WorldNode, type WorldOptions } from "../../src/sim/index.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keeps every command it was given, in order: what a history is checked against. */
export class Journal implements StateMachine {
  lines: string[] = [];

  apply(batch: readonly { readonly index: number; readonly data: Uint8Array }[]): Uint8Array[] {
    return batch.map(({ index, data }) => {
      this.lines.push(`${index}:${decoder.decode(data)}`);
      return encoder.encode(String(this.lines.length));
    });
  }

  *snapshot(): Iterable<Uint8Array> {
    const lines = [...this.lines];
    for (let from = 0; from < lines.length; from += 10)
      yield encoder.encode(`${lines.slice(from, from + 10).join("\n")}\n`);
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of content) text += decoder.decode(chunk, { stream: true });
    this.lines = text === "" ? [] : text.trimEnd().split("\n");
  }
}

/** A member as the world runs it. */
export interface Member {
  readonly raft: RaftNode;
  readonly journal: Journal;
  readonly events: readonly RaftNodeEvent[];
  close(): Promise<void>;
}

export class SimulatedCluster {
  readonly world: World;
  /** In the order in which they were added; those that were removed from the cluster may be taken out. */
  readonly nodes: WorldNode<Member>[];
  /** Whether a start may fail; otherwise that ends the test. */
  mayRefuse = false;
  /** Why a node's last start failed. */
  readonly refused: Map<string, BalsaError> = new Map();
  /** Commands that were acknowledged, each with its place. */
  readonly acknowledged: Map<string, Applied> = new Map();
  readonly failed: Map<string, string> = new Map();
  /** The codes with which they failed. */
  readonly codes: Map<string, string> = new Map();
  onEvent: ((node: string, event: RaftNodeEvent) => void) | undefined;
  private lastCommand = 0;
  private readonly settings: (name: string) => Partial<RaftNodeOptions>;

  /** @param settings of all members, or of each */
  constructor(
    options: WorldOptions,
    settings: Partial<RaftNodeOptions> | ((name: string) => Partial<RaftNodeOptions>) = {},
    names: readonly string[] = ["a", "b", "c"],
  ) {
    this.world = new World(options);
    this.settings = typeof settings === "function" ? settings : () => settings;
    const members = names.map((name) => ({ name, address: `${name}:2380` }));
    const cluster = { bootstrap: { id: "simulated", members } };
    this.nodes = names.map((name) => this.world.addNode(name, this.boot(name, cluster)));
  }

  /** Starts one more machine, whose member takes part as `cluster` says. */
  add(name: string, cluster: RaftNodeOptions["cluster"]): WorldNode<Member> {
    const node = this.world.addNode(name, this.boot(name, cluster));
    this.nodes.push(node);
    return node;
  }

  /** A start of that node, with other options than its first ones perhaps. */
  boot(
    name: string,
    cluster: RaftNodeOptions["cluster"],
    listen: string = `${name}:2380`,
  ): (platform: Platform) => Promise<Member> {
    return async (platform) => {
      const journal = new Journal();
      const events: RaftNodeEvent[] = [];
      this.refused.delete(name);
      try {
        const raft = await RaftNode.open({
          platform,
          dir: "/data",
          name,
          listen,
          cluster,
          stateMachine: journal,
          onEvent: (event) => {
            events.push(event);
            this.onEvent?.(name, event);
          },
          ...this.settings(name),
        });
        return { raft, journal, events, close: () => raft.close() };
      } catch (cause) {
        if (!this.mayRefuse) throw cause;
        this.refused.set(name, cause as BalsaError);
        return new Promise(() => {});
      }
    };
  }

  node(name: string): WorldNode<Member> {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  raft(name: string): RaftNode {
    return this.node(name).running.raft;
  }

  idOf(name: string): number {
    return this.raft(name).status().memberId;
  }

  get up(): readonly WorldNode<Member>[] {
    return this.nodes.filter((node) => node.program !== undefined);
  }

  /** The member that leads the highest term. */
  get leader(): WorldNode<Member> | undefined {
    return this.up
      .filter((node) => node.running.raft.status().role === "leader")
      .toSorted((a, b) => b.running.raft.status().term - a.running.raft.status().term)[0];
  }

  async untilLeader(): Promise<WorldNode<Member>> {
    await this.world.run({ until: () => this.leader !== undefined });
    const { leader } = this;
    if (leader === undefined) throw new Error("a leader that is none");
    return leader;
  }

  /** Proposes one more command at a node; what becomes of it is noted. */
  propose(node: WorldNode<Member>, padding = ""): string {
    const command = `c${++this.lastCommand}${padding}`;
    node.running.raft.propose(encoder.encode(command)).then(
      (applied) => {
        this.acknowledged.set(command, applied);
      },
      (error: { code: string; applied: string }) => {
        this.failed.set(command, error.applied);
        this.codes.set(command, error.code);
      },
    );
    return command;
  }

  /** Until all nodes are up, have a leader, and have applied the same. */
  async untilAgreed(): Promise<void> {
    await this.world.run({
      until: () => {
        const statuses = this.up.map((node) => node.running.raft.status());
        const first = statuses[0];
        return (
          statuses.length === this.nodes.length &&
          first !== undefined &&
          first.leader !== 0 &&
          statuses.every((s) => s.leader === first.leader && s.applied === first.applied && s.applied === s.lastIndex)
        );
      },
    });
  }

  /** What the members hold, checked against each other and against what was acknowledged. Gives the agreed journal. */
  agreedJournal(): readonly string[] {
    const [journal = [], ...others] = this.nodes.map((node) => node.running.journal.lines);
    for (const other of others) {
      if (other.join() !== journal.join()) throw new Error(`journals differ: ${journal.join()} | ${other.join()}`);
    }
    const commands = journal.map((line) => line.slice(line.indexOf(":") + 1));
    if (new Set(commands).size !== commands.length) throw new Error("a command was applied twice");
    const at = new Set(journal);
    for (const [command, { index }] of this.acknowledged) {
      if (!at.has(`${index}:${command}`)) throw new Error(`${command} was acknowledged at ${index} and is lost`);
    }
    for (const [command, applied] of this.failed) {
      if (applied === "not-applied" && commands.includes(command))
        throw new Error(`${command} was surely not applied, and is`);
    }
    return journal;
  }
}
