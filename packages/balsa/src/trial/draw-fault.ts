import type { Prng } from "../sim/index.js";
import type { BlockedWay, Fault, FaultKind, LostPower, Target } from "./fault.js";

/** Faults that a scenario may have, each as likely as its weight among all. */
export interface FaultMix {
  readonly kinds: readonly (readonly [FaultKind, number])[];
  /** All machines, spare ones too. */
  readonly members: number;
  /** How often a fault that waits for a moment hits whoever came by it, instead of anybody. */
  readonly thereChance: number;
}

/** Most upgrades go all the way. */
const NEXT_RELEASES = {
  upgrade: ["between", "present", "present"],
  downgrade: ["between", "previous"],
} as const;

/** One fault of the mix; `waits`: for a moment. */
export function drawFault(prng: Prng, { kinds, members, thereChance }: FaultMix, waits: boolean): Fault {
  const kind = drawKind(prng, kinds);
  const forMs = drawSpanMs(prng);
  const target = waits && prng.chance(thereChance) ? "there" : drawTarget(prng, members);
  switch (kind) {
    case "crash":
    case "power-off":
      return { kind, target, disk: drawLostPower(prng), forMs };
    case "crash-in-write":
      // Elections and appends take a handful of calls, a snapshot or a recovery some dozens.
      return { kind, target, calls: prng.chance(0.5) ? prng.between(1, 8) : prng.between(1, 60), forMs };
    case "crash-all":
      return { kind, disk: drawLostPower(prng), forMs: Math.min(forMs, 1_000) };
    case "kill":
    case "stop":
    case "sync-error":
    case "isolate":
    case "pause":
      return { kind, target, forMs };
    case "upgrade":
    case "downgrade":
      return { kind, target, how: prng.pick(["stop", "kill"]), to: prng.pick(NEXT_RELEASES[kind]), forMs };
    case "rot":
      return {
        kind,
        target,
        where: prng.pick(["log", "log", "newest-batches", "snapshot", "sector", "lost-write", "misdirected-write"]),
        bits: prng.pick([1, 1, 3, 20]),
        seed: prng.below(2 ** 32),
        forMs,
      };
    case "clock-rate":
      return { kind, target, rate: prng.pick([0.5, 0.8, 0.95, 1.05, 1.25, 2]), forMs };
    case "clock-jump":
      return { kind, target, byMs: prng.pick([-1, 1]) * prng.pick([10, 1_000, 3_600_000, 86_400_000_000]) };
    case "slow-disk":
      return { kind, target, factor: prng.pick([5, 20, 100]), forMs };
    case "full-disk":
      return { kind, target, freeBytes: prng.below(20_000), forMs };
    case "partition":
      return { kind, side: drawSides(prng, members, target), forMs };
    case "bridge":
      return { kind, bridge: prng.below(members), side: drawSide(prng, members), forMs };
    case "topology":
      return { kind, blocked: drawBlockedWays(prng, members), forMs };
    case "one-way":
      return { kind, target, to: prng.chance(0.5) ? "all" : prng.below(members), forMs };
    case "stall":
      return { kind, target, to: prng.below(members), forMs };
    case "reset":
    case "sever":
      return { kind, target, to: prng.below(members) };
    case "slow-link":
      return { kind, target, ...drawSlowness(prng), forMs };
    case "wipe":
      return { kind, target, forMs };
    case "add-member":
      return { kind, target: prng.below(members), voter: prng.chance(0.8) };
    case "remove-member":
    case "promote":
    case "demote":
      return { kind, target, by: prng.below(members) };
    case "replace-member":
      return { kind, target, to: prng.below(members), by: prng.below(members) };
    case "transfer-leadership":
      return { kind, to: prng.below(members), by: prng.below(members) };
    default:
      kind satisfies never;
      throw new Error("unknown kind of fault");
  }
}

function drawKind(prng: Prng, kinds: FaultMix["kinds"]): FaultKind {
  let total = 0;
  for (const [, weight] of kinds) total += weight;
  let left = prng.below(total);
  for (const [kind, weight] of kinds) {
    left -= weight;
    if (left < 0) return kind;
  }
  throw new Error("the weights add up");
}

/** Short ones, that end within an election, and long ones, that others join. */
function drawSpanMs(prng: Prng): number {
  const longest = prng.pick([100, 500, 2_000, 2_000, 6_000]);
  return prng.between(1, longest);
}

function drawTarget(prng: Prng, members: number): Target {
  return prng.chance(0.4) ? "leader" : prng.below(members);
}

function drawLostPower(prng: Prng): LostPower {
  return prng.pick(["drawn", "drawn", "lost", "kept"]);
}

/** At least one, not all, and as often a majority as not. */
function drawSide(prng: Prng, members: number): readonly number[] {
  const numbers = prng.shuffled(Array.from({ length: members }, (_, number) => number));
  return numbers.slice(0, Math.max(1, prng.below(members))).sort((a, b) => a - b);
}

/** Of all ways between two, each as likely as any other: few of them, or most. */
export function drawBlockedWays(prng: Prng, members: number): readonly BlockedWay[] {
  const chance = prng.pick([0.1, 0.3, 0.5, 0.7, 0.9]);
  const blocked: BlockedWay[] = [];
  for (let from = 0; from < members; from += 1) {
    for (let to = 0; to < members; to += 1) if (from !== to && prng.chance(chance)) blocked.push([from, to]);
  }
  return blocked;
}

/** A target with few others, or with none; or any. */
function drawSides(prng: Prng, members: number, target: Target): readonly Target[] {
  if (typeof target === "number") return drawSide(prng, members);
  return [target, ...drawSide(prng, members).slice(0, Math.floor((members - 1) / 2) - 1)];
}

/** A thin line, a lossy one, a long one; or all of it a little. */
function drawSlowness(
  prng: Prng,
): Pick<Extract<Fault, { kind: "slow-link" }>, "bytesPerMs" | "lossChance" | "delayUs"> {
  const [narrow, lossy, long] = [prng.chance(0.5), prng.chance(0.5), prng.chance(0.5)];
  return {
    bytesPerMs: narrow ? prng.between(5, 500) : 100_000,
    lossChance: lossy ? prng.pick([0.02, 0.1, 0.3]) : 0,
    delayUs: long ? [prng.between(1_000, 50_000), 150_000] : [50, 500],
  };
}
