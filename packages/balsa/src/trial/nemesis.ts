import type { StateMachine } from "../node/index.js";
import { keepUnsynced, loseUnsynced, Prng, uniformDelay } from "../sim/index.js";
import { BlockedLinks } from "./blocked-links.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import type { Fault, LostPower, Target } from "./fault.js";
import { mayRot } from "./fault-atlas.js";
import { MembershipFaults } from "./membership-faults.js";
import { RELEASES } from "./release.js";
import { rot } from "./rot.js";
import type { FaultStep } from "./scenario.js";

/** After which somebody has noticed that a member stopped for good, and starts it anew. */
const REPLACED_AFTER_MS = 500;

/** Carries faults out, and brings them to their ends. */
export class Nemesis<Machine extends StateMachine = StateMachine> {
  readonly #cluster: SimulatedCluster<Machine>;
  readonly #links: BlockedLinks;
  readonly #membership: MembershipFaults<Machine>;
  /** How many were carried out; those that found nobody are none. */
  readonly counts: Record<string, number> = {};
  #isOver = false;

  constructor(cluster: SimulatedCluster<Machine>) {
    this.#cluster = cluster;
    this.#membership = new MembershipFaults(cluster);
    this.#links = new BlockedLinks(cluster.world.network);
  }

  /** A step's time has come: its fault comes now, or at the moment that it waits for. */
  take({ fault, on }: FaultStep): void {
    const { coverage, world } = this.#cluster;
    if (on === undefined) {
      this.inflict(fault);
      return;
    }
    coverage.onNext(on.mark, (where) => {
      const aimed = this.#aimAt(where, fault);
      world.after(on.delayUs / 1_000, `at last ${JSON.stringify(aimed)}`, () => {
        if (!this.#isOver) this.inflict(aimed);
      });
    });
  }

  inflict(fault: Fault): void {
    const target = "target" in fault ? this.#cluster.find(fault.target)?.number : undefined;
    if (!this.#dispatch(fault)) return;
    this.counts[fault.kind] = (this.counts[fault.kind] ?? 0) + 1;
    const { chronicle } = this.#cluster;
    if (chronicle === undefined) return;
    const { kind, ...rest } = fault;
    const forMs = "forMs" in fault ? fault.forMs : undefined;
    chronicle.occurred("fault", `${kind} ${JSON.stringify(rest)}`, target, forMs);
  }

  /** The same fault, where it is aimed at whoever came by a mark. */
  #aimAt(where: string, fault: Fault): Fault {
    const there = this.#cluster.members.find(({ name }) => name === where)?.number;
    if (there === undefined) return fault;
    const aim = (target: Target): Target => (target === "there" ? there : target);
    if (fault.kind === "partition") return { ...fault, side: fault.side.map(aim) };
    return "target" in fault ? { ...fault, target: aim(fault.target) } : fault;
  }

  /** Heals everything, once and for all: the end of a fault that is still to come has no effect. */
  healAll(): void {
    this.#isOver = true;
    this.#links.clear();
    for (const { number, node } of this.#cluster.members) {
      node.disk.fault = undefined;
      node.disk.syncError = undefined;
      node.disk.slowness = 1;
      node.disk.capacityBytes = Number.POSITIVE_INFINITY;
      node.clockRate = 1;
      node.resume();
      this.#cluster.resetLinks(number);
    }
    for (const member of this.#cluster.members) {
      this.#cluster.helpIn(member);
      this.#cluster.restart(member);
    }
  }

  /** A member that something was done to has stopped for good. */
  replace(member: SimulatedMember<Machine>): void {
    const { lives } = member.node;
    const again = (): void => {
      if (member.node.lives !== lives) return;
      this.#cluster.kill(member);
      this.#cluster.restart(member);
    };
    this.#cluster.world.after(REPLACED_AFTER_MS, `replace ${member.name}`, again);
  }

  /** False: there was nobody to hit. */
  #dispatch(fault: Fault): boolean {
    switch (fault.kind) {
      case "crash":
      case "power-off":
      case "crash-in-write":
      case "kill":
      case "stop":
      case "sync-error":
      case "rot":
        return this.#hitProcess(fault);
      case "upgrade":
      case "downgrade":
        return this.#changeRelease(fault);
      case "pause":
      case "clock-rate":
      case "clock-jump":
      case "slow-disk":
      case "full-disk":
        return this.#impair(fault);
      case "crash-all":
        for (const member of this.#cluster.members) {
          this.#cluster.crash(member, crashOptions(fault.disk));
          this.#restartAfter(fault.forMs, member);
        }
        return true;
      case "isolate":
      case "partition":
      case "bridge":
      case "topology":
      case "one-way":
        return this.#cut(fault);
      case "stall":
      case "reset":
      case "sever":
        return this.#disturb(fault);
      case "slow-link":
        return this.#slowDown(fault);
      case "wipe":
      case "add-member":
      case "remove-member":
      case "promote":
      case "demote":
      case "replace-member":
      case "transfer-leadership":
        return this.#membership.inflict(fault, (member, afterMs) => this.#restartAfter(afterMs, member));
      default:
        fault satisfies never;
        throw new Error("unknown fault");
    }
  }

  #hitProcess(
    fault: Extract<
      Fault,
      { readonly kind: "crash" | "power-off" | "crash-in-write" | "kill" | "stop" | "sync-error" | "rot" }
    >,
  ): boolean {
    const cluster = this.#cluster;
    const member = this.#cluster.find(fault.target);
    if (member === undefined || !member.node.isUp) return false;
    switch (fault.kind) {
      case "crash":
        cluster.crash(member, crashOptions(fault.disk));
        this.#restartAfter(fault.forMs, member);
        return true;
      case "power-off":
        cluster.powerOff(member, crashOptions(fault.disk));
        this.#restartAfter(fault.forMs, member);
        return true;
      case "kill":
        cluster.kill(member);
        this.#restartAfter(fault.forMs, member);
        return true;
      case "stop":
        void cluster.stop(member).then(() => this.#restartAfter(fault.forMs, member));
        return true;
      case "crash-in-write": {
        let left = fault.calls;
        member.node.disk.fault = (): undefined => {
          left -= 1;
          if (left > 0) return;
          cluster.crash(member);
          this.#restartAfter(fault.forMs, member);
        };
        return true;
      }
      case "rot": {
        // Where members come and go one disk at a time: who was removed may be needed to repair another.
        const mayBe = cluster.hasSpares ? this.#membership.mayLoseDisk(member) : mayRot(member, cluster.members);
        if (!mayBe) return false;
        cluster.kill(member);
        member.isRotten = rot(member.node.disk, new Prng(`rot ${fault.seed}`), fault);
        this.#restartAfter(fault.forMs, member);
        return member.isRotten;
      }
      case "sync-error":
        member.isDoomed = true;
        member.node.disk.syncError = "io";
        this.#until(fault.forMs, () => {
          member.node.disk.syncError = undefined;
        });
        return true;
      default:
        fault satisfies never;
        throw new Error("unknown fault");
    }
  }

  #cut(fault: Extract<Fault, { readonly kind: "isolate" | "partition" | "bridge" | "topology" | "one-way" }>): boolean {
    const pairs = this.#pairsOf(fault);
    if (pairs.length === 0) return false;
    for (const [from, to] of pairs) this.#links.block(from, to);
    this.#until(fault.forMs, () => {
      for (const [from, to] of pairs) this.#links.unblock(from, to);
    });
    return true;
  }

  #changeRelease(fault: Extract<Fault, { readonly kind: "upgrade" | "downgrade" }>): boolean {
    const { kind, target, how, to = kind === "upgrade" ? "present" : "previous", forMs } = fault;
    const member = this.#cluster.find(target);
    if (member === undefined) return false;
    const steps = RELEASES.indexOf(to) - RELEASES.indexOf(member.release);
    if (kind === "upgrade" ? steps <= 0 : steps >= 0) return false;
    member.release = to;
    // One that is down finds it when it is started again.
    if (member.node.isUp) this.#hitProcess({ kind: how, target: member.number, forMs });
    return true;
  }

  /** What a machine goes on with, but worse. */
  #impair(
    fault: Extract<Fault, { readonly kind: "pause" | "clock-rate" | "clock-jump" | "slow-disk" | "full-disk" }>,
  ): boolean {
    const node = this.#cluster.find(fault.target)?.node;
    if (node === undefined) return false;
    switch (fault.kind) {
      case "pause":
        if (!node.isUp) return false;
        node.pause();
        this.#until(fault.forMs, () => node.resume());
        return true;
      case "clock-rate":
        node.clockRate = fault.rate;
        this.#until(fault.forMs, () => {
          node.clockRate = 1;
        });
        return true;
      case "clock-jump":
        node.jumpClock(fault.byMs);
        return true;
      case "slow-disk":
        node.disk.slowness = fault.factor;
        this.#until(fault.forMs, () => {
          node.disk.slowness = 1;
        });
        return true;
      case "full-disk":
        node.disk.capacityBytes = node.disk.usedBytes + fault.freeBytes;
        this.#until(fault.forMs, () => {
          node.disk.capacityBytes = Number.POSITIVE_INFINITY;
        });
        return true;
      default:
        fault satisfies never;
        throw new Error("unknown fault");
    }
  }

  #disturb(fault: Extract<Fault, { readonly kind: "stall" | "reset" | "sever" }>): boolean {
    const { network } = this.#cluster.world;
    const [from, to] = [this.#cluster.find(fault.target), this.#cluster.find(fault.to)];
    if (from === undefined || to === undefined || from === to) return false;
    if (fault.kind === "reset") network.reset(from.name, to.name);
    else if (fault.kind === "sever") network.sever(from.name, to.name);
    else {
      network.stall(from.name, to.name, fault.forMs);
      network.stall(to.name, from.name, fault.forMs);
    }
    return true;
  }

  #slowDown(fault: Extract<Fault, { readonly kind: "slow-link" }>): boolean {
    const cluster = this.#cluster;
    const member = this.#cluster.find(fault.target);
    if (member === undefined) return false;
    const options = {
      delayUs: uniformDelay(...fault.delayUs),
      bytesPerMs: fault.bytesPerMs,
      lossChance: fault.lossChance,
    };
    for (const other of cluster.members) {
      if (other === member) continue;
      cluster.world.network.setLink(member.name, other.name, options);
      cluster.world.network.setLink(other.name, member.name, options);
    }
    this.#until(fault.forMs, () => cluster.resetLinks(member.number));
    return true;
  }

  /** Which ways the fault blocks. */
  #pairsOf(fault: Parameters<Nemesis["inflict"]>[0]): [string, string][] {
    const { members } = this.#cluster;
    const bothWays = (sides: readonly SimulatedMember<Machine>[], others: readonly SimulatedMember<Machine>[]) =>
      sides.flatMap((a) =>
        others.flatMap((b): [string, string][] => [
          [a.name, b.name],
          [b.name, a.name],
        ]),
      );
    const besides = (...numbers: readonly number[]) => members.filter(({ number }) => !numbers.includes(number));
    switch (fault.kind) {
      case "partition": {
        const side = fault.side.flatMap((target) => this.#cluster.find(target) ?? []);
        return bothWays(side, besides(...side.map(({ number }) => number)));
      }
      case "bridge": {
        const side = members.filter(({ number }) => fault.side.includes(number) && number !== fault.bridge);
        return bothWays(side, besides(...fault.side, fault.bridge));
      }
      case "topology":
        return fault.blocked.flatMap(([from, to]): [string, string][] => {
          const [sender, receiver] = [members[from], members[to]];
          return sender === undefined || receiver === undefined ? [] : [[sender.name, receiver.name]];
        });
      case "isolate": {
        const member = this.#cluster.find(fault.target);
        return member === undefined ? [] : bothWays([member], besides(member.number));
      }
      case "one-way": {
        const from = this.#cluster.find(fault.target);
        if (from === undefined) return [];
        const { to } = fault;
        const others = to === "all" ? besides(from.number) : members.filter(({ number }) => number === to);
        return others.filter((other) => other !== from).map((other) => [from.name, other.name]);
      }
      default:
        return [];
    }
  }

  #restartAfter(delayMs: number, member: SimulatedMember<Machine>): void {
    this.#until(delayMs, () => this.#cluster.restart(member));
  }

  /** At the end of a fault, unless all is healed by then. */
  #until(delayMs: number, end: () => void): void {
    this.#cluster.world.after(delayMs, "end of a fault", () => {
      if (!this.#isOver) end();
    });
  }
}

function crashOptions(disk: LostPower): { disk?: typeof loseUnsynced } {
  switch (disk) {
    case "drawn":
      return {};
    case "lost":
      return { disk: loseUnsynced };
    case "kept":
      return { disk: keepUnsynced };
    default:
      disk satisfies never;
      throw new Error("unknown loss of power");
  }
}
