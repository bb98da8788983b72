import type { BalsaError, BalsaErrorCode } from "../core/index.js";
import type { AbortSignalLike } from "./abort.js";
import { Waiter } from "./deadlines.js";

/** Where the answer of a call goes. */
export interface Answering<Answer> {
  readonly signal: AbortSignalLike | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: BalsaError) => void;
}

/** A caller that waits for an answer, its deadline, or its own signal, and hears of the first of them alone. */
export abstract class Call<Answer> extends Waiter {
  private isSettled = false;
  private readonly answering: Answering<Answer>;
  private readonly onAbort: (() => void) | undefined;

  constructor(answering: Answering<Answer>) {
    super();
    this.answering = answering;
    const { signal } = answering;
    if (signal === undefined) {
      this.onAbort = undefined;
      return;
    }
    this.onAbort = () => this.fail("aborted", "the caller's signal fired");
    signal.addEventListener("abort", this.onAbort);
  }

  get settled(): boolean {
    return this.isSettled;
  }

  abstract fail(code: BalsaErrorCode, reason: string): void;

  /** Takes it off the books: called once, before the caller hears anything. */
  protected abstract forget(): void;

  succeed(answer: Answer): void {
    if (this.settle()) this.answering.resolve(answer);
  }

  protected reject(error: BalsaError): void {
    if (this.settle()) this.answering.reject(error);
  }

  private settle(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    if (this.onAbort !== undefined) this.answering.signal?.removeEventListener("abort", this.onAbort);
    this.forget();
    return true;
  }
}
