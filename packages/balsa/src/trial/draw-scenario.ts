import type { StateMachine } from "../node/index.js";
import { Prng } from "../sim/index.js";
import type { Mark } from "./coverage.js";
import { drawBlockedWays, drawFault, type FaultMix } from "./draw-fault.js";
import { drawOpening } from "./draw-opening.js";
import type { FaultKind, Target } from "./fault.js";
import type { Profile } from "./profile.js";
import {
  type DiskSettings,
  type FaultStep,
  type MemberSettings,
  type NetworkSettings,
  type OperationStep,
  SCENARIO_FORMAT,
  type Scenario,
} from "./scenario.js";
import { drawSessions, type SessionSettings } from "./session-settings.js";
import type { Workload } from "./workload.js";

const CLIENTS = 6;
/** What faults wait for, where the profile does not say. */
const MOMENTS: readonly Mark[] = [
  "elections won",
  "elections won",
  "votes asked for",
  "votes given",
  "appends rejected",
  "entries made durable",
  "snapshots taken",
  "snapshots sent",
];
/** Members need this long to elect their first leader: faults that come before it meet nobody at work. */
const FIRST_FAULT_MS = 500;

/** The scenario of a seed: the same seed and profile give the same one. */
export function drawScenario<Machine extends StateMachine, State, Input, Output>(
  seed: string,
  profile: Profile,
  workload: Workload<Machine, State, Input, Output>,
): Scenario {
  const prng = new Prng(`${seed}/scenario`);
  const members = prng.pick(profile.members);
  const spares = prng.stream("spares").pick(profile.spares ?? [0]);
  const operations = drawOperations(prng.stream("operations"), profile, members + spares, workload);
  const faults = drawFaults(prng.stream("faults"), profile, members + spares);
  const opening = drawOpening(prng.stream("opening"), profile, members);
  const { sessions, snapshots } = drawSessionsOrNone(prng.stream("sessions"), profile);
  const network = drawNetwork(prng.stream("network"), profile, members);
  const settings = { ...drawSettings(prng.stream("settings"), profile, network), ...snapshots };
  return {
    format: SCENARIO_FORMAT,
    seed,
    name: `profile ${profile.name}, seed ${seed}`,
    workload: workload.name,
    members,
    ...(spares > 0 ? { spares } : {}),
    ...drawReleases(prng.stream("releases"), profile, members + spares),
    settings,
    network,
    disk: drawDisk(prng.stream("disk"), profile),
    ...drawMachine(prng.stream("machine"), profile, settings),
    ...drawTruce(prng.stream("truce"), profile, members),
    ...(sessions === undefined ? {} : { sessions }),
    durationMs: profile.durationMs,
    steps: [...opening, ...operations, ...faults].sort((a, b) => a.atMs - b.atMs),
    probes: workload.probes(operations.map(({ input }) => input as Input)),
  };
}

/** With sessions, snapshots every few entries as often as not: then whoever comes back knows them from its snapshot. */
function drawSessionsOrNone(
  prng: Prng,
  { sessionsChance = 0 }: Profile,
): { readonly sessions?: SessionSettings; readonly snapshots?: Pick<MemberSettings, "snapshotLogEntries"> } {
  if (!prng.chance(sessionsChance)) return {};
  const sessions = drawSessions(prng, CLIENTS);
  return prng.chance(0.5) ? { sessions, snapshots: { snapshotLogEntries: prng.between(3, 10) } } : { sessions };
}

function drawReleases(prng: Prng, { releases }: Profile, machines: number): Pick<Scenario, "releases"> {
  if (releases === undefined) return {};
  return { releases: Array.from({ length: machines }, () => prng.pick(releases)) };
}

function drawOperations<Machine extends StateMachine, State, Input, Output>(
  prng: Prng,
  { durationMs, operationsPerSecond }: Profile,
  members: number,
  workload: Workload<Machine, State, Input, Output>,
): OperationStep[] {
  const earlier: Input[] = [];
  return drawTimes(prng, durationMs, operationsPerSecond, 0).map((atMs, ordinal): OperationStep => {
    const client = 1 + prng.below(CLIENTS);
    const input = workload.draw(prng, { ordinal, atMs, client, earlier });
    earlier.push(input);
    return { kind: "operation", atMs, client, member: prng.below(members), input };
  });
}

function drawFaults(prng: Prng, profile: Profile, members: number): FaultStep[] {
  const kinds = drawKinds(prng, profile);
  if (kinds.length === 0) return [];
  const mix: FaultMix = { kinds, members, thereChance: profile.thereChance };
  const moments = profile.moments ?? MOMENTS;
  return drawTimes(prng, profile.durationMs, profile.faultsPerSecond, FIRST_FAULT_MS).map((atMs) => {
    const waits = prng.chance(profile.momentChance);
    const fault = drawFault(prng, mix, waits);
    if (!waits) return { kind: "fault", atMs, fault };
    // Most within what a write takes, some within an election.
    const delayUs = prng.below(prng.pick([1, 1_000, 1_000, 3_000, 300_000]));
    return { kind: "fault", atMs, fault, on: { mark: prng.pick(moments), delayUs } };
  });
}

/** All kinds hide what one alone would show: so some scenarios have but one, and some a few. */
function drawKinds(prng: Prng, { faults, calmChance, singleKindChance }: Profile): FaultMix["kinds"] {
  const all = Object.entries(faults) as [FaultKind, number][];
  if (all.length === 0 || prng.chance(calmChance)) return [];
  if (prng.chance(singleKindChance)) return [prng.pick(all)];
  if (prng.chance(0.5)) return all;
  return prng.shuffled(all).slice(0, prng.between(2, Math.max(2, all.length - 1)));
}

/** Rising; in bursts as often as chance has them. */
function drawTimes(prng: Prng, durationMs: number, perSecond: number, firstMs: number): number[] {
  const count = Math.round((durationMs * perSecond) / 1_000);
  const times = Array.from({ length: count }, () => prng.between(firstMs, durationMs - 1));
  return times.sort((a, b) => a - b);
}

/** What a limit that is made small is picked from. */
interface SmallLimits {
  readonly heartbeatMs: readonly number[];
  readonly electionMs: readonly number[];
  /** Least and most. */
  readonly snapshotLogEntries: readonly [number, number];
  readonly segmentBytes: readonly number[];
  readonly appendBytesMax: readonly number[];
  readonly committedBytesMax: readonly number[];
  readonly pieceBytesMax: readonly number[];
}

const SMALL_LIMITS: Readonly<Record<Profile["smallness"], SmallLimits>> = {
  small: {
    heartbeatMs: [50],
    electionMs: [500, 2_000],
    snapshotLogEntries: [20, 80],
    segmentBytes: [4_096, 8_192],
    appendBytesMax: [200, 1_000],
    committedBytesMax: [300],
    pieceBytesMax: [64],
  },
  tiny: {
    heartbeatMs: [20, 50],
    electionMs: [300, 500, 2_000],
    snapshotLogEntries: [5, 40],
    segmentBytes: [512, 1_000, 4_000],
    appendBytesMax: [1, 200, 1_000],
    committedBytesMax: [1, 300],
    pieceBytesMax: [7, 64],
  },
};

function drawSettings(prng: Prng, profile: Profile, network: NetworkSettings): MemberSettings {
  const small = SMALL_LIMITS[profile.smallness];
  // One entry at a time over a long way is less than clients ask for: such a cluster never catches up.
  const isNear = network.delayUs[1] < 1_000 && network.slowMembers.length === 0;
  const isBiased = (): boolean => prng.chance(profile.biasChance);
  const appendBytesMax = isNear ? small.appendBytesMax : small.appendBytesMax.filter((bytes) => bytes > 1);
  return {
    heartbeatMs: isBiased() ? prng.pick(small.heartbeatMs) : 100,
    electionMs: isBiased() ? prng.pick(small.electionMs) : 1_000,
    snapshotLogEntries: isBiased() ? prng.between(...small.snapshotLogEntries) : prng.between(100, 400),
    keepEntries: isBiased() ? prng.between(0, 5) : 50,
    // Prepared files are written in full: those of 64 MiB would be all that a run spends its time with.
    segmentBytes: isBiased() ? prng.pick(small.segmentBytes) : 32_768,
    ...(isBiased() ? { appendBytesMax: prng.pick(appendBytesMax) } : {}),
    ...(isBiased() && isNear ? { inflightMessagesMax: prng.between(1, 4) } : {}),
    ...(isBiased() ? { committedBytesMax: prng.pick(small.committedBytesMax) } : {}),
  };
}

/** A local network; a wide one; one that cuts and joins everything; one that reaches some members late. */
function drawNetwork(prng: Prng, { biasChance, smallness }: Profile, members: number): NetworkSettings {
  const isBiased = (): boolean => prng.chance(biasChance);
  const isWide = prng.chance(biasChance / 2);
  const minority = Math.floor((members - 1) / 2);
  return {
    delayUs: isWide ? [2_000, 15_000] : [50, 500],
    tailChance: isBiased() ? 0.1 : 0.01,
    tailUs: isWide ? [15_000, 120_000] : [500, 5_000],
    splitChance: isBiased() ? 0.5 : 0.03,
    joinChance: 0.25,
    ...(isBiased() && prng.chance(0.3) ? { pieceBytesMax: prng.pick(SMALL_LIMITS[smallness].pieceBytesMax) } : {}),
    resetChance: isBiased() ? 0.75 : 0.25,
    slowMembers: isBiased() ? numbersBelow(members, prng).slice(0, minority) : [],
    slowByUs: prng.pick([2_000, 30_000]),
  };
}

function drawDisk(prng: Prng, { biasChance }: Profile): DiskSettings {
  return prng.chance(biasChance)
    ? { writeUs: [100, 3_000], syncUs: [1_000, 20_000] }
    : { writeUs: [10, 60], syncUs: [150, 600] };
}

/** A state machine that takes its time for each batch: then it must be able to take many commands in one. */
function drawMachine(
  prng: Prng,
  { slowMachineChance }: Profile,
  { committedBytesMax }: MemberSettings,
): Pick<Scenario, "applyMs"> {
  return committedBytesMax === undefined && prng.chance(slowMachineChance)
    ? { applyMs: [1, prng.pick([5, 50, 200])] }
    : {};
}

/** What truces wait for. */
const TRUCE_MOMENTS: readonly Mark[] = ["elections won", "elections won", "votes given", "entries made durable"];

/**
 * Half of them without the last leader, or without the one that came by the moment; where there are enough members, some
 * have a way to one of the others.
 */
function drawTruce(prng: Prng, { truceChance }: Profile, members: number): Pick<Scenario, "truce"> {
  const minority = Math.floor((members - 1) / 2);
  if (minority === 0 || !prng.chance(truceChance)) return {};
  if (prng.chance(0.3)) return { truce: { blocked: drawBlockedWays(prng, members) } };
  const numbers = numbersBelow(members, prng);
  const away: Target[] = numbers.slice(0, minority);
  const on = prng.chance(0.5) ? prng.pick(TRUCE_MOMENTS) : undefined;
  if (prng.chance(0.5)) away[0] = on === undefined ? "leader" : "there";
  // Together with that one they are still no majority.
  const bridge = minority > 1 && prng.chance(0.5) ? numbers[minority] : undefined;
  return { truce: { away, ...(bridge === undefined ? {} : { bridge }), ...(on === undefined ? {} : { on }) } };
}

function numbersBelow(count: number, prng: Prng): number[] {
  return prng.shuffled(Array.from({ length: count }, (_, number) => number));
}
