import type { Model } from "../linearizability/index.js";
import type { StateMachine } from "../node/index.js";
import type { Prng } from "../sim/index.js";

/** One member as a client sees it. */
export interface MemberCalls<Machine extends StateMachine> {
  /** Its state machine, to be read after `read`. */
  readonly machine: Machine;
  /** As `RaftNode.propose`; gives what the state machine answered. */
  propose(data: Uint8Array): Promise<Uint8Array>;
  /** As `RaftNode.read`: what is in `machine` when it resolves is linearizable. */
  read(): Promise<void>;
}

/** What a workload may go by when it draws an operation; how the run goes is not known then. */
export interface DrawContext<Input> {
  /** How many it has drawn for this run: makes values that nobody else writes. */
  readonly ordinal: number;
  /** When it will be called, ms. */
  readonly atMs: number;
  readonly client: number;
  readonly earlier: readonly Input[];
}

/**
 * A state machine and what clients do with it: all that a trial has to know of an application. Inputs are plain data, as
 * they are written to scenario files.
 */
export interface Workload<
  Machine extends StateMachine = StateMachine,
  State = unknown,
  Input = unknown,
  Output = unknown,
> {
  /** Names it in scenarios. */
  readonly name: string;
  /** A fresh one for each life of each member. */
  create(): Machine;
  /** The operation that a client calls; all chance comes from `prng`. */
  draw(prng: Prng, context: DrawContext<Input>): Input;
  /**
   * Completes an input that goes by the state of the member that is asked first, such as a version number that the client
   * has seen: `draw` can't know it. Called once an operation, before it is called; what it gives is what the history has
   * and what whoever is asked later is asked for. Where nobody is up the input stays as it was drawn, and fails.
   */
  resolve?(input: Input, machine: Machine): Input;
  /**
   * What is called once all is healed, and must be answered: something that writes, and reads of all that was written,
   * so that what was lost is missed.
   */
  probes(earlier: readonly Input[]): readonly Input[];
  /**
   * Carries an operation out at a member and gives what the client sees. Errors of `propose` and `read` are passed on.
   * May propose once at the most: a failure must tell whether the operation took effect.
   */
  call(member: MemberCalls<Machine>, input: Input): Promise<Output>;
  /** What the answers are checked against. */
  readonly model: Model<State, Input, Output>;
  /** Names the machine's state, cheaply: the same on every member after the same commands. */
  digest?(machine: Machine): string | number;
}
