import { invariant } from "../core/index.js";
import { EventQueue } from "./event-queue.js";
import { EVENTS_PER_INSTANT_MAX } from "./limits.js";
import type { SimEvent } from "./sim-event.js";
import type { Trace } from "./trace.js";

/** Virtual time, and what is going to happen in it. Whole microseconds, so that no sum is ever rounded. */
export class Timeline {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  /**
   * Scheduled at this instant for this instant: the last in sequence of all that is due now, since whatever waits in the
   * queue for this instant was scheduled before it began. From `#instantAt` to `#instantEnd`.
   */
  readonly #instant: (SimEvent | undefined)[] = [];
  #instantAt = 0;
  #instantEnd = 0;
  #nowUs = 0;
  #sequence = 0;
  #eventsAtThisInstant = 0;

  constructor(trace: Trace) {
    this.trace = trace;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  /** When the next event is due. */
  get nextUs(): number | undefined {
    return this.#peek()?.timeUs;
  }

  schedule(delayUs: number, event: SimEvent): SimEvent {
    invariant(Number.isSafeInteger(delayUs) && delayUs >= 0, "a delay is a whole number of microseconds, not negative");
    this.#sequence += 1;
    event.timeUs = this.#nowUs + delayUs;
    event.sequence = this.#sequence;
    if (delayUs > 0) this.#queue.push(event);
    else this.#instant[this.#instantEnd++] = event;
    return event;
  }

  /** An event that was held back when it was due happens now, after what is due already. */
  requeue(event: SimEvent): void {
    if (event.run !== undefined) this.schedule(0, event);
  }

  cancel(event: SimEvent): void {
    if (event.timeUs > this.#nowUs) this.#queue.cancel(event);
    else event.run = undefined;
  }

  /** Runs the next event if it is due by then. False if it is not, or there is none. */
  step(endUs: number): boolean {
    const event = this.#peek();
    if (event === undefined || event.timeUs > endUs) return false;
    if (this.#instant[this.#instantAt] === event) this.#shiftInstant();
    else this.#queue.removeFirst();
    if (event.timeUs !== this.#nowUs) this.#moveTo(event.timeUs);
    if (event.owner?.paused === true) {
      event.owner.hold(event);
      return true;
    }
    this.#eventsAtThisInstant += 1;
    invariant(this.#eventsAtThisInstant <= EVENTS_PER_INSTANT_MAX, "the world turns on the spot: time stands still");
    const { run, subject } = event;
    event.run = undefined;
    this.trace.event(event);
    run?.(subject);
    return true;
  }

  /** Lets time pass in which nothing happens. */
  advanceTo(timeUs: number): void {
    invariant(timeUs <= (this.nextUs ?? timeUs), "no event may be skipped");
    if (timeUs > this.#nowUs) this.#moveTo(timeUs);
  }

  /** A line in the trace for what is no event: what the test does to its world. */
  note(node: string, kind: string, detail: string): void {
    this.trace.note(this.#nowUs, node, kind, detail);
  }

  log(node: string, level: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    this.trace.log(this.#nowUs, node, level, message, fields);
  }

  #peek(): SimEvent | undefined {
    const queued = this.#queue.peek();
    if (queued !== undefined && queued.timeUs === this.#nowUs) return queued;
    for (;;) {
      const event = this.#instant[this.#instantAt];
      if (event === undefined) return queued;
      if (event.isDue) return event;
      this.#shiftInstant();
    }
  }

  #shiftInstant(): void {
    this.#instant[this.#instantAt++] = undefined;
    if (this.#instantAt < this.#instantEnd) return;
    this.#instantAt = 0;
    this.#instantEnd = 0;
  }

  #moveTo(timeUs: number): void {
    this.#nowUs = timeUs;
    this.#eventsAtThisInstant = 0;
  }
}
