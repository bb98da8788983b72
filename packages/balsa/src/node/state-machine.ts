import { BalsaError } from "../core/index.js";

/** One committed command, as it was proposed. */
export interface Command {
  /** Its position in the log: rises, with gaps where the log holds entries of the library's own. */
  readonly index: number;
  readonly term: number;
  /** Valid until `apply` has returned or its promise has settled; copy what is to be kept longer. */
  readonly data: Uint8Array;
}

/**
 * What is replicated. Deterministic: the same commands in the same order give the same state and the same results on
 * every member, whatever the clock, the machine or the member.
 */
export interface StateMachine {
  /**
   * Applies commands in order and gives one result for each. The next batch waits until a promise has settled; the
   * protocol does not (F4). A throw or rejection stops the member: a state of unknown content must not go on.
   */
  apply(batch: readonly Command[]): readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /**
   * The state as of this call, in pieces, while applying goes on. The first piece is asked for before anything else is
   * applied, so that a generator may copy what it needs in its first lines.
   */
  snapshot(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Replaces the whole state by a snapshot's. */
  restore(content: AsyncIterable<Uint8Array>): Promise<void>;
}

/** What the application threw goes with it, stack and all. */
export function machineFailed(call: string, cause: unknown): BalsaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BalsaError("state-machine-failed", `state machine: ${call} threw: ${reason}`, { cause });
}
