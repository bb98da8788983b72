import { invariant } from "../core/index.js";
import { EventQueue, type SimEvent } from "./event-queue.js";
import { EVENTS_PER_INSTANT_MAX } from "./limits.js";
import type { SimProcess } from "./sim-process.js";
import type { Trace } from "./trace.js";

export interface EventLabel {
  /** Undefined: the world's own event, which outlives every process. */
  readonly owner: SimProcess | undefined;
  readonly node: string;
  readonly kind: string;
  readonly detail: string;
}

/** Virtual time, and what is going to happen in it. Whole microseconds, so that no sum is ever rounded. */
export class Timeline {
  readonly trace: Trace;
  readonly #queue = new EventQueue();
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
    return this.#queue.peek()?.timeUs;
  }

  schedule(delayUs: number, label: EventLabel, run: () => void): SimEvent {
    invariant(Number.isSafeInteger(delayUs) && delayUs >= 0, "a delay is a whole number of microseconds, not negative");
    const event = this.event(label, run);
    event.timeUs += delayUs;
    this.#queue.push(event);
    return event;
  }

  /** An event of this instant that is in no queue. */
  event({ owner, node, kind, detail }: EventLabel, run: () => void): SimEvent {
    this.#sequence += 1;
    return { timeUs: this.#nowUs, sequence: this.#sequence, owner, node, kind, detail, run };
  }

  /** An event that was held back when it was due happens now, after what is due already. */
  requeue(event: SimEvent): void {
    if (event.run === undefined) return;
    this.#sequence += 1;
    event.timeUs = this.#nowUs;
    event.sequence = this.#sequence;
    this.#queue.push(event);
  }

  cancel(event: SimEvent): void {
    this.#queue.cancel(event);
  }

  /** Runs the next event. */
  step(): void {
    const event = this.#queue.pop();
    if (event === undefined) return;
    this.#moveTo(event.timeUs);
    if (event.owner?.paused === true) {
      event.owner.hold(event);
      return;
    }
    this.#eventsAtThisInstant += 1;
    invariant(this.#eventsAtThisInstant <= EVENTS_PER_INSTANT_MAX, "the world turns on the spot: time stands still");
    const run = event.run;
    event.run = undefined;
    this.trace.record(event.timeUs, event.node, event.kind, event.detail);
    run?.();
  }

  /** Lets time pass in which nothing happens. */
  advanceTo(timeUs: number): void {
    invariant(timeUs <= (this.nextUs ?? timeUs), "no event may be skipped");
    if (timeUs > this.#nowUs) this.#moveTo(timeUs);
  }

  /** A line in the trace for what is no event: what the test does to its world. */
  note(node: string, kind: string, detail: string): void {
    this.trace.record(this.#nowUs, node, kind, detail);
  }

  #moveTo(timeUs: number): void {
    if (timeUs === this.#nowUs) return;
    this.#nowUs = timeUs;
    this.#eventsAtThisInstant = 0;
  }
}
