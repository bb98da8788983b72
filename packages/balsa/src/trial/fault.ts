import type { Release } from "./release.js";

/**
 * Whom a fault hits: a member by its number; whoever leads when it comes; or the member that came by what the fault
 * waited for (nobody, where there is none).
 */
export type Target = number | "leader" | "there";

/** What becomes of what was not synced when the power goes; `drawn`: any state that the disk may be left in. */
export type LostPower = "drawn" | "lost" | "kept";

/** From one member to another, by their numbers. */
export type BlockedWay = readonly [from: number, to: number];

/**
 * Something that goes wrong, and for how long: the end belongs to the fault, so that a scenario stays sound whichever
 * faults are taken out of it. All that is left at the end of the first phase is undone then.
 */
export type Fault =
  /** The machine loses power, and comes back. */
  | { readonly kind: "crash"; readonly target: Target; readonly disk: LostPower; readonly forMs: number }
  /** The same without a word: others notice only by its silence. */
  | { readonly kind: "power-off"; readonly target: Target; readonly disk: LostPower; readonly forMs: number }
  /** A crash in the middle of its so-manieth call of the disk from now on, if it comes to that. */
  | { readonly kind: "crash-in-write"; readonly target: Target; readonly calls: number; readonly forMs: number }
  /** All machines at once. */
  | { readonly kind: "crash-all"; readonly disk: LostPower; readonly forMs: number }
  /** The process alone ends; what it wrote stays, synced or not. */
  | { readonly kind: "kill"; readonly target: Target; readonly forMs: number }
  /** The member is closed in good order. */
  | { readonly kind: "stop"; readonly target: Target; readonly forMs: number }
  /** The member is closed in good order, or its process ends, and another release is started. */
  | {
      readonly kind: "upgrade" | "downgrade";
      readonly target: Target;
      readonly how: "stop" | "kill";
      /** Left out: the newest, or the oldest. */
      readonly to?: Release;
      readonly forMs: number;
    }
  /** Its disk fails to sync, once: the member stops for good, and is started again. */
  | { readonly kind: "sync-error"; readonly target: Target; readonly forMs: number }
  /** Its files are damaged while its process is down, as far as the others can still repair it (`fault-atlas.ts`). */
  | {
      readonly kind: "rot";
      readonly target: Target;
      /**
       * Bits turn over anywhere in the log, in every batch of its newest segment, or in a snapshot; or a sector of the log
       * can't be read; or a write of it never reached one, or reached another one.
       */
      readonly where: "log" | "newest-batches" | "snapshot" | "sector" | "lost-write" | "misdirected-write";
      readonly bits: number;
      readonly seed: number;
      readonly forMs: number;
    }
  /** Its process stands still, and the world goes on. */
  | { readonly kind: "pause"; readonly target: Target; readonly forMs: number }
  /** Its time goes by faster or slower than the world's. */
  | { readonly kind: "clock-rate"; readonly target: Target; readonly rate: number; readonly forMs: number }
  /** Somebody sets its calendar, forwards or back. */
  | { readonly kind: "clock-jump"; readonly target: Target; readonly byMs: number }
  /** Every call of its disk takes so many times longer. */
  | { readonly kind: "slow-disk"; readonly target: Target; readonly factor: number; readonly forMs: number }
  /** Its disk has room for so many bytes more, and then none. */
  | { readonly kind: "full-disk"; readonly target: Target; readonly freeBytes: number; readonly forMs: number }
  /** Cut off from all others. */
  | { readonly kind: "isolate"; readonly target: Target; readonly forMs: number }
  /** These from the rest. */
  | { readonly kind: "partition"; readonly side: readonly Target[]; readonly forMs: number }
  /** These from the rest, but for one that both sides reach. */
  | { readonly kind: "bridge"; readonly bridge: number; readonly side: readonly number[]; readonly forMs: number }
  /** Nothing gets from the first of each pair to the second: any shape that a network may take. */
  | { readonly kind: "topology"; readonly blocked: readonly BlockedWay[]; readonly forMs: number }
  /** Nothing gets from the target to `to`, or to anybody; the way back stays as it is. */
  | { readonly kind: "one-way"; readonly target: Target; readonly to: number | "all"; readonly forMs: number }
  /** Nothing gets through between two for a while; then it goes on as if nothing had been. */
  | { readonly kind: "stall"; readonly target: Target; readonly to: number; readonly forMs: number }
  /** Connections between two break; they may be made anew. */
  | { readonly kind: "reset"; readonly target: Target; readonly to: number }
  /** They break for the target alone: the other's ends are half-open. */
  | { readonly kind: "sever"; readonly target: Target; readonly to: number }
  /** All ways to and from the target are narrow, lossy, or long. */
  | {
      readonly kind: "slow-link";
      readonly target: Target;
      readonly bytesPerMs: number;
      readonly lossChance: number;
      readonly delayUs: readonly [number, number];
      readonly forMs: number;
    }
  | MembershipFault;

/** What operators do, and what they do it after: each is asked of `by`, or of the next member that is up. */
export type MembershipFault =
  /** Its machine crashes and loses its disk; it is started as before. Only where the others still know all that is committed. */
  | { readonly kind: "wipe"; readonly target: Target; readonly forMs: number }
  /** A machine that is no member joins: this one, or the first that there is. A learner first, which may be made a voter. */
  | { readonly kind: "add-member"; readonly target: Target; readonly voter: boolean }
  | { readonly kind: "remove-member"; readonly target: Target; readonly by: number }
  | { readonly kind: "promote"; readonly target: Target; readonly by: number }
  | { readonly kind: "demote"; readonly target: Target; readonly by: number }
  /** Those two change places: one change, by way of a joint configuration. */
  | { readonly kind: "replace-member"; readonly target: Target; readonly to: number; readonly by: number }
  | { readonly kind: "transfer-leadership"; readonly to: number; readonly by: number };

export type FaultKind = Fault["kind"];
