import type { Coverage } from "./coverage.js";
import { RuleBroken } from "./violation.js";

/** A command that some member has applied. */
interface AppliedCommand {
  readonly index: number;
  readonly term: number;
  readonly commandId: number;
  /** Checksum of the state machine's answer. */
  readonly result: number;
  /** Index of the command applied before it; 0 = none. */
  readonly before: number;
}

/** What a member's state machine has applied so far. */
export interface AppliedPosition {
  /** Of the last command; 0 = none. */
  readonly index: number;
  readonly digest: string | number | undefined;
}

/**
 * Every command that was proposed, and every one that was applied anywhere: all state machines go through the same, each
 * command once, and what callers were told is true.
 */
export class Journal {
  readonly #byIndex = new Map<number, AppliedCommand>();
  readonly #byCommand = new Map<number, AppliedCommand>();
  readonly #refused = new Set<number>();
  readonly #digests = new Map<number, string | number>();
  #lastCommandId = 0;
  readonly #coverage: Coverage;

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** All commands that any member has applied, in the log's order. */
  get appliedOrder(): readonly number[] {
    return [...this.#byIndex.values()].sort((a, b) => a.index - b.index).map(({ commandId }) => commandId);
  }

  /** A number for one more command. */
  propose(): number {
    this.#lastCommandId += 1;
    return this.#lastCommandId;
  }

  /** A caller was told that its command was applied there, with this result. */
  acknowledge(commandId: number, index: number, term: number, result: number): void {
    const applied = this.#byCommand.get(commandId);
    if (applied === undefined || applied.index !== index || applied.term !== term || applied.result !== result) {
      const there = applied === undefined ? "is not" : `is at ${applied.index} of term ${applied.term}`;
      throw new RuleBroken(
        "an acknowledged write is applied",
        `command ${commandId} was acknowledged at ${index} of term ${term}, and ${there}`,
      );
    }
  }

  /** A caller was told that its command surely was not and will not be applied. */
  refuse(commandId: number): void {
    this.#coverage.count("proposals refused");
    this.#refused.add(commandId);
    if (this.#byCommand.has(commandId)) this.#refusedButApplied(commandId);
  }

  /** A member's state machine has applied a command, and `before` it one at that index. */
  apply(member: string, applied: AppliedCommand): void {
    const { index, term, commandId, result, before } = applied;
    const known = this.#byIndex.get(index);
    if (known === undefined) {
      this.#applyFirst(member, applied);
      return;
    }
    if (known.commandId !== commandId || known.term !== term) {
      throw new RuleBroken(
        "the same state everywhere",
        `${member} applies command ${commandId} at ${index}, others ${known.commandId}`,
      );
    }
    if (known.before !== before) {
      throw new RuleBroken(
        "applied in order, once",
        `${member} applies ${index} after ${before}, others after ${known.before}`,
      );
    }
    if (known.result !== result) {
      throw new RuleBroken("the same state everywhere", `${member} answers command ${commandId} at ${index} otherwise`);
    }
  }

  /** What a state machine is at an index, wherever and however it got there. */
  digest(member: string, { index, digest }: AppliedPosition): void {
    if (digest === undefined) return;
    const known = this.#digests.get(index);
    if (known === undefined) this.#digests.set(index, digest);
    else if (known !== digest) {
      throw new RuleBroken(
        "the same state everywhere",
        `${member} has another state than others after index ${index}: its digest is ${digest}, theirs ${known}`,
      );
    }
  }

  #applyFirst(member: string, applied: AppliedCommand): void {
    const { index, commandId } = applied;
    if (commandId < 1 || commandId > this.#lastCommandId) {
      throw new RuleBroken("nothing out of nowhere", `${member} applies at ${index} what nobody proposed`);
    }
    const elsewhere = this.#byCommand.get(commandId);
    if (elsewhere !== undefined) {
      throw new RuleBroken(
        "applied in order, once",
        `${member} applies command ${commandId} at ${index}; it was applied at ${elsewhere.index}`,
      );
    }
    this.#byIndex.set(index, applied);
    this.#byCommand.set(commandId, applied);
    if (this.#refused.has(commandId)) this.#refusedButApplied(commandId);
  }

  #refusedButApplied(commandId: number): void {
    throw new RuleBroken("a refused write is not applied", `command ${commandId} was refused for good, and is applied`);
  }
}
