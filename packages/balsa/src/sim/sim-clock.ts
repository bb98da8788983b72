import { invariant } from "../core/index.js";
import type { Clock, Timer } from "../platform/index.js";
import type { MachineClock, RateListener } from "./machine-clock.js";
import type { SimEvent } from "./sim-event.js";
import type { SimProcess } from "./sim-process.js";

function fired(timer: SimTimer): void {
  timer.fired();
}

class SimTimer implements Timer {
  /** The clock's other pending timers, in the order in which they were set. */
  previous: SimTimer | undefined;
  next: SimTimer | undefined;
  readonly #clock: SimClock;
  readonly #fire: () => void;
  /** By the machine's clock, µs. */
  readonly #dueUs: number;
  #event: SimEvent;

  constructor(clock: SimClock, delayUs: number, fire: () => void) {
    this.#clock = clock;
    this.#fire = fire;
    this.#dueUs = clock.machine.nowUs + delayUs;
    this.#event = this.#schedule(delayUs);
  }

  cancel(): void {
    this.#clock.pending.remove(this);
    this.#clock.process.timeline.cancel(this.#event);
  }

  fired(): void {
    this.#clock.pending.remove(this);
    this.#fire();
  }

  /** The machine's time runs at another rate now. */
  reset(): void {
    // Held by a process that stands still: due already, and stays so.
    if (this.#dueUs <= this.#clock.machine.nowUs) return;
    this.#clock.process.timeline.cancel(this.#event);
    this.#event = this.#schedule(this.#dueUs - this.#clock.machine.nowUs);
  }

  #schedule(localUs: number): SimEvent {
    return this.#clock.process.scheduleTimer(this.#clock.machine.virtualUs(localUs), this, fired);
  }
}

/** Timers that are set, in that order. A list, since to come and go is all that they do as a rule. */
class PendingTimers {
  #first: SimTimer | undefined;
  #last: SimTimer | undefined;

  add(timer: SimTimer): void {
    timer.previous = this.#last;
    if (this.#last === undefined) this.#first = timer;
    else this.#last.next = timer;
    this.#last = timer;
  }

  /** No effect on one that is not there. */
  remove(timer: SimTimer): void {
    const { previous, next } = timer;
    if (previous === undefined && this.#first !== timer) return;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    timer.previous = undefined;
    timer.next = undefined;
  }

  reset(): void {
    for (let timer = this.#first; timer !== undefined; timer = timer.next) timer.reset();
  }
}

/** A process' clock. Its origin differs from process to process, as it does in life. */
export class SimClock implements Clock, RateListener {
  readonly process: SimProcess;
  readonly machine: MachineClock;
  readonly pending: PendingTimers = new PendingTimers();
  readonly #originUs: number;

  constructor(process: SimProcess, machine: MachineClock, originUs: number) {
    this.process = process;
    this.machine = machine;
    this.#originUs = originUs;
    machine.serve(this);
  }

  now(): number {
    return (this.#originUs + this.machine.nowUs) / 1000;
  }

  wallTime(): number {
    return this.machine.wallTimeMs;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    // The same door as the real clock's.
    invariant(delayMs >= 0 && delayMs < 2 ** 31, "a timer's delay must lie between 0 and 2^31-1 ms");
    const timer = new SimTimer(this, Math.ceil(delayMs * 1000), fire);
    this.pending.add(timer);
    return timer;
  }

  /** After all that is already due at this instant: an event of the same time, last in sequence. */
  nextTurn(turn: () => void): void {
    this.process.scheduleTurn(turn);
  }

  rateChanged(): void {
    this.pending.reset();
  }
}
