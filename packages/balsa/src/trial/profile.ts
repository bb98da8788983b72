import type { Mark } from "./coverage.js";
import type { FaultKind } from "./fault.js";
import { RELEASES, type Release } from "./release.js";

/** What kind of scenarios to draw. */
export interface Profile {
  readonly name: string;
  readonly describe: string;
  /** Each is as likely as any other. */
  readonly members: readonly number[];
  /** Machines that may join; each as likely as any other. Left out: none. */
  readonly spares?: readonly number[];
  /** What each machine begins with; each as likely as any other. Left out: the present release. */
  readonly releases?: readonly Release[];
  readonly durationMs: number;
  readonly operationsPerSecond: number;
  readonly faultsPerSecond: number;
  /** How likely each kind is against the others; a kind that is left out never comes. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** How often a scenario has no fault at all, and only one kind; of the others half have all kinds, half some. */
  readonly calmChance: number;
  readonly singleKindChance: number;
  /** How often a fault waits for a moment that decides something, instead of coming at any time. */
  readonly momentChance: number;
  /** What they wait for; each is as likely as any other. Left out: what decides most. */
  readonly moments?: readonly Mark[];
  /** How often such a fault hits the very member that came by the moment. */
  readonly thereChance: number;
  /** How often peace begins with a minority that is still cut off. */
  readonly truceChance: number;
  /** How often the first seconds are those in which a lost disk is known to fewest. Left out: never. */
  readonly openingChance?: number;
  /** How often state machines take their time. */
  readonly slowMachineChance: number;
  /** How often each of the limits is made small, and the network slow. */
  readonly biasChance: number;
  /** How often some or all clients use sessions. Left out: never. */
  readonly sessionsChance?: number;
  /**
   * How small: as somebody might set them; or as small as the code takes, which brings what is rare most often, and
   * makes many times as much happen in each second.
   */
  readonly smallness: "small" | "tiny";
}

/** Every kind, about as often as it finds something. */
const ALL_FAULTS: Profile["faults"] = {
  crash: 6,
  "crash-in-write": 6,
  "crash-all": 2,
  kill: 4,
  stop: 2,
  "sync-error": 2,
  isolate: 6,
  partition: 6,
  bridge: 3,
  topology: 3,
  "one-way": 5,
  stall: 4,
  reset: 4,
  sever: 3,
  "slow-link": 5,
  "power-off": 4,
  pause: 5,
  "clock-rate": 3,
  "clock-jump": 1,
  "slow-disk": 4,
  "full-disk": 2,
};

const MEMBERSHIP_FAULTS: Profile["faults"] = {
  wipe: 30,
  "add-member": 25,
  "remove-member": 16,
  promote: 8,
  demote: 6,
  "replace-member": 6,
  "transfer-leadership": 8,
};

/** Where members are not what it is about. */
const SOME_MEMBERSHIP_FAULTS: Profile["faults"] = {
  wipe: 3,
  "add-member": 2,
  "remove-member": 1,
  promote: 1,
  demote: 1,
  "transfer-leadership": 2,
};

const DEFAULT: Profile = {
  name: "default",
  describe: "five members for a minute, ten calls and a fault a second",
  members: [5],
  durationMs: 60_000,
  operationsPerSecond: 10,
  // Some find nothing to do, and none comes in peace: a minute sees sixty.
  faultsPerSecond: 1.3,
  faults: ALL_FAULTS,
  calmChance: 0.03,
  singleKindChance: 0.2,
  momentChance: 0.25,
  thereChance: 0.5,
  truceChance: 0,
  slowMachineChance: 0,
  biasChance: 0.2,
  smallness: "small",
};

/** For the profiles that look for something: limits are small as often as not, and tiny then. */
const TINY = {
  biasChance: 0.4,
  smallness: "tiny",
  truceChance: 0.3,
  slowMachineChance: 0.1,
} satisfies Partial<Profile>;

/** The profiles that there are, by name. */
export const profiles: ReadonlyMap<string, Profile> = new Map(
  [
    DEFAULT,
    {
      ...DEFAULT,
      name: "sizes",
      describe: "the same with one to seven members, some of which come and go",
      members: [1, 2, 3, 3, 4, 5, 6, 7],
      spares: [0, 0, 1],
      faults: { ...ALL_FAULTS, ...SOME_MEMBERSHIP_FAULTS },
      sessionsChance: 0.25,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "tiny",
      describe: "the same with limits as small as the code takes: segments, messages, pieces, heartbeats",
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "short",
      describe: "three or five members for ten seconds, many faults",
      members: [3, 3, 5],
      durationMs: 10_000,
      faultsPerSecond: 2,
      sessionsChance: 0.2,
    },
    {
      ...DEFAULT,
      name: "sessions",
      describe:
        "clients that use sessions: they try again, give up, and are forgotten, while members die and come back",
      members: [1, 3, 3, 5],
      durationMs: 10_000,
      operationsPerSecond: 15,
      faultsPerSecond: 1.5,
      faults: {
        kill: 8,
        crash: 6,
        "crash-all": 5,
        "crash-in-write": 3,
        stop: 3,
        "power-off": 2,
        pause: 3,
        isolate: 4,
        partition: 3,
        "one-way": 3,
        stall: 3,
        reset: 3,
        "slow-disk": 3,
      },
      sessionsChance: 1,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "disks",
      describe: "what disks do: power that goes in the middle of a write, syncs that fail",
      members: [3, 5],
      faults: {
        crash: 4,
        "crash-in-write": 8,
        "crash-all": 3,
        "power-off": 3,
        "sync-error": 3,
        "slow-disk": 3,
        "full-disk": 3,
      },
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "network",
      describe: "what networks do: partitions of all shapes, stalls, resets",
      members: [3, 5, 7],
      faults: {
        isolate: 4,
        partition: 4,
        bridge: 3,
        topology: 6,
        "one-way": 4,
        stall: 3,
        reset: 3,
        sever: 3,
        "slow-link": 4,
      },
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "moments",
      describe: "power that goes right when something is decided, with disks that lag behind",
      members: [3],
      durationMs: 20_000,
      faults: { "slow-disk": 6, "crash-all": 6, crash: 3, "power-off": 2, kill: 2, isolate: 2, "one-way": 2 },
      momentChance: 0.7,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "figure-8",
      describe: "leaders that are cut off one after the other, alone or with one that follows, and elected again",
      members: [3, 5, 5],
      durationMs: 8_000,
      faultsPerSecond: 4,
      faults: { partition: 8, isolate: 4, crash: 4, "one-way": 3, stall: 3, reset: 2, sever: 2, "slow-disk": 4 },
      calmChance: 0,
      truceChance: 0.6,
      biasChance: 0.7,
      momentChance: 0.7,
      moments: ["elections won", "elections won", "votes given", "entries made durable", "appends rejected"] as const,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "snapshots",
      describe: "snapshots every few entries, and ways that break and members that fall while one is sent",
      members: [3, 3, 5],
      durationMs: 8_000,
      operationsPerSecond: 20,
      faultsPerSecond: 4,
      faults: {
        isolate: 4,
        "one-way": 8,
        crash: 3,
        "crash-in-write": 6,
        kill: 2,
        reset: 4,
        sever: 3,
        stall: 3,
        "slow-link": 4,
        "slow-disk": 2,
        "full-disk": 1,
      },
      calmChance: 0,
      biasChance: 0.8,
      momentChance: 0.7,
      moments: [
        "snapshots taken",
        "snapshots sent",
        "snapshots received",
        "snapshots restored",
        "elections won",
      ] as const,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "handovers",
      describe: "members that hand leadership over, leave and change roles, and power that goes right then",
      members: [2, 2, 3, 3, 4],
      spares: [1],
      durationMs: 12_000,
      faultsPerSecond: 3,
      faults: {
        "remove-member": 6,
        "add-member": 8,
        promote: 3,
        demote: 3,
        "replace-member": 2,
        "transfer-leadership": 8,
        crash: 8,
        "crash-all": 4,
        isolate: 4,
        "one-way": 2,
        "slow-disk": 2,
      },
      calmChance: 0,
      singleKindChance: 0,
      momentChance: 0.5,
      moments: ["configuration changes", "members removed", "leadership transfers", "elections won"] as const,
      slowMachineChance: 0.4,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "clocks",
      describe: "what time does: processes that stand still, clocks that run fast or slow",
      members: [3, 5],
      faults: { pause: 6, "clock-rate": 4, "clock-jump": 2, "slow-disk": 3, "slow-link": 2, isolate: 2 },
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "rot",
      describe:
        "what time does to disks: bits that turn over, writes that were lost or misdirected, among power failures and partitions",
      members: [3, 3, 5, 7],
      durationMs: 30_000,
      faults: {
        rot: 8,
        crash: 3,
        "crash-in-write": 4,
        "crash-all": 1,
        kill: 2,
        isolate: 3,
        partition: 2,
        "one-way": 1,
      },
    },
    {
      ...DEFAULT,
      name: "members",
      describe:
        "clusters of one to seven members that grow and shrink, and disks that are lost, among all other faults",
      members: [1, 2, 3, 3, 3, 4, 5],
      spares: [1, 2, 2],
      durationMs: 30_000,
      faultsPerSecond: 1.6,
      faults: { ...ALL_FAULTS, ...MEMBERSHIP_FAULTS },
      singleKindChance: 0,
      openingChance: 0.25,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "rot-members",
      describe: "disks that rot while members come, go and change roles",
      members: [2, 3, 3, 4, 5],
      spares: [1, 2],
      durationMs: 20_000,
      faultsPerSecond: 1.6,
      faults: {
        rot: 30,
        crash: 6,
        "crash-in-write": 6,
        kill: 3,
        isolate: 4,
        partition: 3,
        "add-member": 8,
        "remove-member": 5,
        promote: 4,
        demote: 3,
        "replace-member": 3,
        "transfer-leadership": 3,
      },
      singleKindChance: 0,
      truceChance: 0,
    },
    {
      ...DEFAULT,
      ...TINY,
      name: "versions",
      describe: "members of several releases in one cluster, upgraded and downgraded one by one among all other faults",
      members: [2, 3, 3, 5],
      spares: [0, 1],
      releases: RELEASES,
      durationMs: 20_000,
      faultsPerSecond: 1.6,
      faults: { ...ALL_FAULTS, ...SOME_MEMBERSHIP_FAULTS, upgrade: 25, downgrade: 15 },
    },
    { ...DEFAULT, name: "calm", describe: "no faults at all", faultsPerSecond: 0, calmChance: 1 },
  ].map((profile): [string, Profile] => [profile.name, profile]),
);
