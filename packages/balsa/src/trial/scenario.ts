import type { Mark } from "./coverage.js";
import type { BlockedWay, Fault, Target } from "./fault.js";
import type { Release } from "./release.js";
import type { SessionSettings } from "./session-settings.js";

/** One call of one client. Plain data: what it means is its workload's affair. */
export interface OperationStep {
  readonly kind: "operation";
  readonly atMs: number;
  readonly client: number;
  /** Whom the client asks first; where it is down, the next one that is up. */
  readonly member: number;
  readonly input: unknown;
}

export interface FaultStep {
  readonly kind: "fault";
  readonly atMs: number;
  readonly fault: Fault;
  /** It waits, from `atMs` on, for the next time that this happens anywhere; and then so long. Left out: it does not. */
  readonly on?: { readonly mark: Mark; readonly delayUs: number };
}

export type Step = OperationStep | FaultStep;

/** What the members are opened with. Left out: the default of RaftNode. */
export interface MemberSettings {
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly snapshotLogEntries: number;
  readonly keepEntries: number;
  readonly segmentBytes?: number;
  readonly appendBytesMax?: number;
  readonly inflightMessagesMax?: number;
  readonly committedBytesMax?: number;
}

/** How the network behaves while nothing is wrong with it. */
export interface NetworkSettings {
  /** Most pieces take so long, µs: [at least, at most]. */
  readonly delayUs: readonly [number, number];
  /** How often one takes longer, and how long then. */
  readonly tailChance: number;
  readonly tailUs: readonly [number, number];
  /** How often one write arrives in two pieces, and one together with the one before. */
  readonly splitChance: number;
  readonly joinChance: number;
  /** The longest piece. Left out: any length. */
  readonly pieceBytesMax?: number;
  /** How often a connection that stalled is broken, rather than carrying on. */
  readonly resetChance: number;
  /** Members that everybody reaches late, so that the smallest quorum decides without them; and by how many µs. */
  readonly slowMembers: readonly number[];
  readonly slowByUs: number;
}

export interface DiskSettings {
  readonly writeUs: readonly [number, number];
  readonly syncUs: readonly [number, number];
}

/** At first peace is not whole: those who can must get on all the same. */
export type Truce = Absence | BlockedWays;

/** A majority without the others. */
export interface Absence {
  /** Each is cut off from everybody; less than half of the members. */
  readonly away: readonly Target[];
  /** One of the rest that the first of `away` still reaches, and that still reaches it. Left out: none. */
  readonly bridge?: number;
  /** It begins when this happens next, if that is soon; whoever came by it is `there`. Left out: at once. */
  readonly on?: Mark;
}

/** Whoever can be elected though these ways are blocked must lead and take a write. */
export interface BlockedWays {
  readonly blocked: readonly BlockedWay[];
}

/**
 * All that is decided about a run before it begins, as plain data: what happens when. Together with the code it gives
 * one run, byte for byte. A profile draws it from a seed; it can be written to a file, made smaller and run again.
 */
export interface Scenario {
  readonly format: 1;
  /** Draws what is not in here: how long a piece takes, when an election times out. */
  readonly seed: string;
  /** Where it came from, or what it shows. */
  readonly name: string;
  readonly workload: string;
  /** First members. */
  readonly members: number;
  /** Machines that may join them. Left out: none. */
  readonly spares?: number;
  /** Of each machine, by its number, what it begins with. Left out: the newest, as is whatever lies beyond the list. */
  readonly releases?: readonly Release[];
  readonly settings: MemberSettings;
  readonly network: NetworkSettings;
  readonly disk: DiskSettings;
  /** How long the state machine takes for each batch and each snapshot: [at least, at most]. Left out: no time. */
  readonly applyMs?: readonly [number, number];
  /** How the second phase begins. Left out: all is well at once. */
  readonly truce?: Truce;
  /** Clients that use sessions, and a state machine that has them. Left out: none. */
  readonly sessions?: SessionSettings;
  /** Steps and faults lie before; then all is healed. */
  readonly durationMs: number;
  /** By time. */
  readonly steps: readonly Step[];
  /** Inputs of the calls that are made when all is healed, and must be answered. */
  readonly probes: readonly unknown[];
}

export const SCENARIO_FORMAT = 1;
