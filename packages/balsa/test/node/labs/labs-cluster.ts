/**
 * The harness of the labs' scenarios (docs/simulation.md): n members of RaftNode that ships, in a simulated world. All the
 * time, whatever a scenario does: at most one leader a term, no two members apply different commands at one index, and
 * each applies every index in its turn.
 */
import { RaftNode, type StateMachine } from "../../../src/node/index.js";
import { type Prng, uniformDelay, World, type WorldNode } from "../../../src/sim/index.js";
import { countWrites, type WireCount } from "./wire-count.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Within this an agreement must be reached, and a scenario be done, in virtual time. */
const AGREEMENT_MS = 10_000;
const SCENARIO_MS_MAX = 120_000;

export interface LabsOptions {
  readonly members: number;
  /** Delays of 0–26 ms, a tenth of all pieces lost (they come a retransmission later), connections that break. */
  readonly unreliable?: boolean;
  /** A snapshot every so many entries, and nothing kept behind it. */
  readonly snapshotEvery?: number;
}

interface Member {
  readonly raft: RaftNode;
  readonly machine: Recorder;
  close(): Promise<void>;
}

/** Where a command came to be. */
export interface Place {
  readonly index: number;
  readonly term: number;
}

/** Keeps what it was given, and holds it against what all others were. */
class Recorder implements StateMachine {
  lastIndex = 0;
  commands: Map<number, string> = new Map();
  readonly #agree: (index: number, command: string) => void;

  constructor(agree: (index: number, command: string) => void) {
    this.#agree = agree;
  }

  apply(batch: readonly { readonly index: number; readonly data: Uint8Array }[]): Uint8Array[] {
    for (const { index, data } of batch) {
      if (index <= this.lastIndex) throw new Error(`index ${index} is applied after ${this.lastIndex}`);
      const command = decoder.decode(data);
      this.#agree(index, command);
      this.commands.set(index, command);
      this.lastIndex = index;
    }
    return batch.map(() => new Uint8Array(0));
  }

  snapshot(): Iterable<Uint8Array> {
    return [encoder.encode(JSON.stringify([...this.commands]))];
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of content) text += decoder.decode(chunk, { stream: true });
    const commands = new Map<number, string>(text === "" ? [] : JSON.parse(text));
    for (const [index, command] of commands) this.#agree(index, command);
    this.commands = commands;
    this.lastIndex = Math.max(0, ...commands.keys());
  }
}

export class LabsCluster {
  readonly world: World;
  readonly nodes: readonly WorldNode<Member>[];
  /** Bytes and messages that members have handed to the network. */
  readonly sent: WireCount = { bytes: 0, messages: 0 };
  /** What is applied at each index, by whomever. */
  private readonly agreed: Map<number, string> = new Map();
  private readonly leaders: Map<number, number> = new Map();
  private readonly connectedNodes: Set<number>;
  private lastCommand = 0;

  constructor(seed: string, options: LabsOptions) {
    const network = options.unreliable === true ? { delayUs: uniformDelay(0, 26_000), lossChance: 0.1 } : {};
    this.world = new World({ seed, trace: "hash", network });
    const names = Array.from({ length: options.members }, (_, i) => `s${i}`);
    const members = names.map((name) => ({ name, address: `${name}:2380` }));
    this.connectedNodes = new Set(names.keys());
    this.nodes = names.map((name, node) =>
      this.world.addNode<Member>(name, async (platform) => {
        const machine = new Recorder((index, command) => this.agree(index, command));
        const every = options.snapshotEvery;
        const raft = await RaftNode.open({
          platform: { ...platform, network: countWrites(platform.network, this.sent) },
          dir: "/data",
          name,
          listen: `${name}:2380`,
          cluster: { bootstrap: { id: "labs", members } },
          stateMachine: machine,
          ...(every === undefined ? {} : { snapshotLogEntries: every, keepEntries: 0 }),
          observer: this.observer(node),
        });
        return { raft, machine, close: () => raft.close() };
      }),
    );
    if (options.unreliable === true) this.breakConnections();
  }

  // What a scenario does.

  /** Cuts a node off: it runs on, and reaches nobody. */
  disconnect(node: number): void {
    this.connectedNodes.delete(node);
    this.rewire();
  }

  connect(node: number): void {
    this.connectedNodes.add(node);
    this.rewire();
  }

  isConnected(node: number): boolean {
    return this.connectedNodes.has(node);
  }

  isUp(node: number): boolean {
    return this.nodeAt(node).isUp;
  }

  crash(node: number): void {
    this.nodeAt(node).crash();
  }

  restart(node: number): void {
    if (!this.nodeAt(node).isUp) this.nodeAt(node).restart();
  }

  /** From now on two thirds of what arrives is 200 to 2,200 ms late. */
  delayLong(): void {
    const usual = uniformDelay(0, 26_000);
    // A late piece holds up all behind it on its connection, some twenty a second: with one in a hundred late, each
    // connection stands still for a fifth of the time. With one in twenty it is more than half, and now and then agreement
    // takes longer than the 10 s that the labs give, where a late answer holds up no other.
    const delayUs = (prng: Prng): number => (prng.chance(0.01) ? prng.between(200_000, 2_200_000) : usual(prng));
    for (const { name: from } of this.nodes) {
      for (const { name: to } of this.nodes) if (from !== to) this.world.network.setLink(from, to, { delayUs });
    }
  }

  async sleep(forMs: number): Promise<void> {
    await this.world.run({ forMs });
    if (this.world.nowMs > SCENARIO_MS_MAX) throw new Error("the scenario takes more than two minutes");
  }

  command(bytes = 0): string {
    this.lastCommand++;
    return String(this.lastCommand).padEnd(bytes, ".");
  }

  /** Proposes at a node, and goes on at once. The promise gives the place; undefined: not applied, or nobody knows. */
  start(node: number, command: string, timeoutMs: number = AGREEMENT_MS): Promise<Place | undefined> {
    const { program } = this.nodeAt(node);
    if (program === undefined) return Promise.resolve(undefined);
    const applied = program.raft.propose(encoder.encode(command), { timeoutMs });
    return applied.then(
      ({ index, term }) => ({ index, term }),
      () => undefined,
    );
  }

  /**
   * Brings one command to at least so many members, within 10 s, proposing it again where the first try is lost.
   * @returns its index
   */
  async one(command: string, members: number, retry: boolean): Promise<number> {
    const endMs = this.world.nowMs + AGREEMENT_MS;
    const tries: (Place | undefined)[] = [];
    for (let at = 0; this.world.nowMs < endMs; at++) {
      const node = this.reachable()[at % Math.max(1, this.reachable().length)];
      if (node === undefined) {
        await this.sleep(50);
        continue;
      }
      const tryMs = Math.min(retry ? 2_000 : AGREEMENT_MS, endMs - this.world.nowMs);
      void this.start(node, command, tryMs).then((place) => tries.push(place));
      const given = this.world.nowMs + tryMs;
      while (this.world.nowMs < given) {
        const index = this.indexOf(command);
        if (index !== undefined && this.appliedAt(index) >= members) return index;
        if (tries[at] === undefined && tries.length > at) break;
        await this.sleep(20);
      }
      if (!retry && tries.length > at && tries[at] === undefined) break;
    }
    throw new Error(`"${command.slice(0, 20)}" was not agreed on by ${members} members in time`);
  }

  /** How many members have applied what is at the index. */
  appliedAt(index: number): number {
    return this.nodes.filter((node) => node.program?.machine.commands.has(index) === true).length;
  }

  /** Whether anybody has ever applied the command. */
  isApplied(command: string): boolean {
    return this.indexOf(command) !== undefined;
  }

  /** The commands in order, as far as anybody has applied them. */
  get log(): readonly string[] {
    return [...this.agreed].sort(([a], [b]) => a - b).map(([, command]) => command);
  }

  status(node: number): ReturnType<RaftNode["status"]> {
    return this.nodeAt(node).running.raft.status();
  }

  // What a scenario asks.

  /** Waits for a leader among those that can reach a majority. */
  async oneLeader(): Promise<number> {
    for (const endMs = this.world.nowMs + AGREEMENT_MS; this.world.nowMs < endMs; ) {
      await this.sleep(100);
      const leader = this.leader();
      if (leader !== undefined) return leader;
    }
    throw new Error("there is no leader");
  }

  /** Of the newest term, among those that are connected. */
  leader(): number | undefined {
    return this.reachable()
      .filter((node) => this.status(node).role === "leader")
      .sort((a, b) => this.status(b).term - this.status(a).term)[0];
  }

  /** The one term that all connected members are in. */
  oneTerm(): number {
    const terms = new Set(this.reachable().map((node) => this.status(node).term));
    const [term, ...others] = terms;
    if (term === undefined || others.length > 0) throw new Error(`members are in terms ${[...terms].join()}`);
    return term;
  }

  /** All members and up to date: they agree on one more command, and hold the same. */
  async allAgree(): Promise<void> {
    for (const node of this.nodes.keys()) {
      this.restart(node);
      this.connect(node);
    }
    const last = await this.one(this.command(), this.nodes.length, true);
    const upTo = ({ running }: WorldNode<Member>): string =>
      [...running.machine.commands].filter(([index]) => index <= last).join(";");
    const [first, ...others] = this.nodes.map(upTo);
    for (const other of others) if (other !== first) throw new Error("members hold different commands");
  }

  private nodeAt(node: number): WorldNode<Member> {
    const found = this.nodes[node];
    if (found === undefined) throw new Error(`there is no node ${node}`);
    return found;
  }

  /** Connected, and up with its state restored. */
  reachable(): readonly number[] {
    return [...this.connectedNodes].sort((a, b) => a - b).filter((node) => this.nodeAt(node).program !== undefined);
  }

  private indexOf(command: string): number | undefined {
    for (const [index, applied] of this.agreed) if (applied === command) return index;
    return undefined;
  }

  private agree(index: number, command: string): void {
    const before = this.agreed.get(index);
    if (before === undefined) this.agreed.set(index, command);
    else if (before !== command) throw new Error(`at index ${index} one applies ${before}, another ${command}`);
  }

  private rewire(): void {
    this.world.network.heal();
    const names = this.nodes.map(({ name }) => name);
    for (const [node, name] of names.entries()) {
      const others = names.filter((other) => other !== name);
      if (!this.connectedNodes.has(node)) this.world.network.partition([name], others);
    }
  }

  /** Once in a while any two nodes' connections break: what was on its way is lost for good. */
  private breakConnections(): void {
    const { world } = this;
    const next = (): void => {
      const [a, b] = world.prng.shuffled(this.nodes);
      if (a !== undefined && b !== undefined && world.prng.chance(0.1)) world.network.reset(a.name, b.name);
      world.after(100, "unreliable", next);
    };
    world.after(100, "unreliable", next);
  }

  private observer(node: number): NonNullable<Parameters<typeof RaftNode.open>[0]["observer"]> {
    let applied = 0;
    return {
      opened: ({ snapshot }) => {
        applied = snapshot.index;
      },
      ready: (_ready, { term, role }) => {
        if (role !== "leader") return;
        if ((this.leaders.get(term) ?? node) !== node) throw new Error(`term ${term} has two leaders`);
        this.leaders.set(term, node);
      },
      sending: (messages) => {
        this.sent.messages += messages.length;
      },
      written: () => {},
      applied: (index, _term, by) => {
        if (by === "entry" && index !== applied + 1) throw new Error(`index ${index} is applied after ${applied}`);
        if (index < applied) throw new Error(`a snapshot takes the applied index from ${applied} back to ${index}`);
        applied = index;
      },
    };
  }
}
