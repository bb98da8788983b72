import type { RaftNode } from "../../src/node/index.js";
import type { WorldNode } from "../../src/sim/index.js";
import { type Member, SimulatedCluster } from "./simulated-cluster.js";

/** What came about in a storm. */
export interface StormTally {
  acknowledged: number;
  changes: number;
  refused: number;
  joined: number;
  removed: number;
  wiped: number;
}

const FIRST_MEMBERS = [["a"], ["a", "b", "c"], ["a", "b", "c", "d", "e"]];
const NEWCOMERS_MAX = 8;
/** Longer than a change can wait for the leader's disk, and some elections. */
const FORGOTTEN_MS = 10_000;

/** Thirty simulated seconds of membership changes among crashes, partitions and lost disks; then peace. */
export class MembershipStorm {
  readonly cluster: SimulatedCluster;
  readonly tally: StormTally = { acknowledged: 0, changes: 0, refused: 0, joined: 0, removed: 0, wiped: 0 };
  /** Of the bootstrap. One that was its only member has nobody to ask after a loss of its disk: it would begin anew. */
  private readonly first: readonly string[];
  private newcomers = 0;
  private lastWipeMs = 0;
  /** Of the member whose disk was lost last: the ID that it had. */
  private lost: { readonly name: string; readonly id: number } | undefined;
  /** Changes that take votes away, as long as they may be made yet. */
  private readonly shrinking = new Set<Promise<unknown>>();

  constructor(seed: string) {
    this.first = FIRST_MEMBERS[Number(seed.at(-1) ?? 0) % 3] ?? [];
    this.cluster = new SimulatedCluster(
      { seed, trace: "hash" },
      { snapshotLogEntries: 40, keepEntries: 10 },
      this.first,
    );
    this.cluster.mayRefuse = true;
  }

  async run(): Promise<void> {
    const { cluster } = this;
    const { world } = cluster;
    while (world.nowMs < 30_000) {
      this.disturb();
      this.change();
      for (let i = this.draw(10); i > 0; i--) {
        const node = cluster.up[this.draw(cluster.up.length)];
        if (node !== undefined) cluster.propose(node);
        await world.run({ forMs: this.draw(40) });
      }
      await world.run({ forMs: this.draw(400) });
    }
    await this.calm();
  }

  private draw(bound: number): number {
    return bound === 0 ? 0 : this.cluster.world.prng.below(bound);
  }

  private any(): WorldNode<Member> {
    return this.cluster.nodes[this.draw(this.cluster.nodes.length)]!;
  }

  private disturb(): void {
    const { cluster } = this;
    const { world } = cluster;
    switch (this.draw(9)) {
      case 0:
        this.any().crash();
        break;
      case 1:
        world.isolate(this.any().name);
        break;
      case 2:
        world.network.block(this.any().name, this.any().name);
        break;
      case 3:
        world.network.reset(this.any().name, this.any().name);
        break;
      case 4:
        for (const node of cluster.nodes) if (this.draw(3) === 0) node.crash();
        break;
      case 5:
      case 6:
        world.network.heal();
        break;
      default:
        for (const node of cluster.nodes) if (!node.isUp) node.restart();
    }
  }

  private change(): void {
    const { cluster } = this;
    const by = cluster.up[this.draw(cluster.up.length)]?.running.raft;
    if (by === undefined) return;
    const { members } = by.status();
    const target = members[this.draw(members.length)];
    if (target === undefined) return;
    switch (this.draw(9)) {
      case 0:
        this.join(by);
        break;
      case 1:
        if (members.length > 1 && !this.isShort()) this.shrink(by.removeMember(target.id));
        break;
      case 2:
        if (target.role === "learner") this.track(by.promoteMember(target.id));
        else if (!this.isShort()) this.shrink(by.demoteMember(target.id));
        break;
      case 3: {
        const others = members.filter((member) => member.id !== target.id && member.role === "learner").slice(0, 2);
        const promotions = others.map(({ id }) => ({ kind: "promote", id }) as const);
        if (members.length > 2 && !this.isShort()) {
          this.shrink(by.changeMembers([{ kind: "remove", id: target.id }, ...promotions]));
        }
        break;
      }
      case 4:
        by.transferLeadership(this.draw(2) === 0 ? target.id : 0).catch(() => {});
        break;
      case 5:
        this.wipe(target.name);
        break;
      default:
    }
  }

  private join(by: RaftNode): void {
    if (this.newcomers >= NEWCOMERS_MAX) return;
    const name = `n${++this.newcomers}`;
    const seeds = by.status().members.map(({ address }) => address);
    this.tally.joined++;
    this.cluster.add(name, { join: seeds, voter: this.draw(4) > 0 });
  }

  private track(change: Promise<unknown>): void {
    change.then(
      () => {
        this.tally.changes++;
      },
      (error: { code: string }) => {
        if (error.code === "membership-refused") this.tally.refused++;
      },
    );
  }

  private shrink(change: Promise<unknown>): void {
    this.track(change);
    this.shrinking.add(change);
    const end = (): void => void this.shrinking.delete(change);
    change.then(end, ({ applied }: { applied: string }) => {
      if (applied === "not-applied") end();
      // Of what is not known to be made: until no log can have it that is still to be elected.
      else this.cluster.world.after(FORGOTTEN_MS, "forget a change", end);
    });
  }

  /** The others depend on each other until the one that lost its disk votes again, under another ID. */
  private isShort(): boolean {
    const { lost } = this;
    if (lost === undefined) return false;
    const members = this.cluster.leader?.running.raft.status().members ?? [];
    const isBack = members.some(({ name, id, role }) => name === lost.name && id !== lost.id && role === "voter");
    if (isBack) this.lost = undefined;
    return !isBack;
  }

  /**
   * One disk is lost at a time, and only where all others have what it has, and no vote is about to be taken from them:
   * what a quorum can bear.
   */
  private wipe(name: string): void {
    const { cluster } = this;
    const leader = cluster.leader?.running.raft.status();
    const node = cluster.nodes.find((candidate) => candidate.name === name);
    if (leader === undefined || node === undefined || cluster.world.nowMs - this.lastWipeMs < 5_000) return;
    const voters = leader.members.filter(({ role }) => role === "voter");
    const whole =
      leader.progress.every(({ match }) => match === leader.lastIndex) && leader.commit === leader.lastIndex;
    const first = leader.members.some(
      (member) => member.name === name && this.first.length > 2 && this.first.includes(name),
    );
    if (voters.length < 3 || !whole || !first || cluster.up.length < cluster.nodes.length) return;
    if (this.isShort() || this.shrinking.size > 0) return;
    this.lastWipeMs = cluster.world.nowMs;
    this.lost = { name, id: node.running.raft.status().memberId };
    this.tally.wiped++;
    node.crash();
    node.wipe();
    node.restart();
  }

  /** All are up and reach each other: soon there is a leader, and all of its members agree. */
  private async calm(): Promise<void> {
    const { cluster } = this;
    const { world } = cluster;
    world.network.heal();
    // What had stopped, since it learned that its disk is lost, is started again by what supervises it.
    for (let round = 0; round < 3; round++) {
      for (const node of cluster.nodes) {
        const { program } = node;
        if (program?.events.some(({ kind }) => kind === "failed") === true) node.crash();
        if (!node.isUp) node.restart();
      }
      await world.run({ forMs: 8_000 });
      this.helpNewcomers();
    }
    await world.run({ until: () => this.inForce() !== undefined, limitMs: 60_000 });
    const names = this.inForce() ?? [];
    this.tally.removed = cluster.nodes.length - names.length;
    cluster.nodes.splice(0, cluster.nodes.length, ...cluster.nodes.filter(({ name }) => names.includes(name)));
    await cluster.untilAgreed();
    cluster.agreedJournal();
    this.tally.acknowledged = cluster.acknowledged.size;
  }

  /** All that a member was told to ask may have left the cluster since: its operator names others. */
  private helpNewcomers(): void {
    const { cluster } = this;
    const seeds = cluster.leader?.running.raft.status().members.map(({ address }) => address);
    if (seeds === undefined) return;
    for (const node of cluster.nodes) {
      const knowsNothing = node.program?.raft.status().lastIndex === 1;
      if ((node.program !== undefined && !knowsNothing) || !node.isUp) continue;
      node.crash();
      node.restart(cluster.boot(node.name, { join: seeds, voter: true }));
    }
  }

  /** Names of the leader's members, once all of them are up and have applied what it has. */
  private inForce(): readonly string[] | undefined {
    const { cluster } = this;
    const status = cluster.leader?.running.raft.status();
    if (status === undefined) return undefined;
    const all = status.members.every(({ id, name }) => {
      const own = cluster.nodes.find((node) => node.name === name)?.program?.raft.status();
      return own?.memberId === id && own.applied === status.applied;
    });
    return all ? status.members.map(({ name }) => name) : undefined;
  }
}
