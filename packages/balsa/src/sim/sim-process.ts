import { SimEvent } from "./sim-event.js";
import type { Timeline } from "./timeline.js";
import type { Word } from "./trace.js";

const NONE: readonly number[] = [];

/**
 * One life of a node: from its start to its crash or stop. Whatever it still waited for when it died never happens;
 * whatever its code still calls (a crash may come in the middle of a call) has no effect and no answer.
 */
export class SimProcess {
  readonly node: string;
  /** 1 for the node's first life. */
  readonly life: number;
  readonly timeline: Timeline;
  /** In the trace: the node, and what happens to it most. */
  readonly #word: Word;
  readonly #turn: Word;
  readonly #timer: Word;
  #alive = true;
  #paused = false;
  /** Became due while it stood still, in that order. */
  #held: SimEvent[] = [];

  constructor(node: string, life: number, timeline: Timeline) {
    this.node = node;
    this.life = life;
    this.timeline = timeline;
    this.#word = timeline.trace.word(node);
    this.#turn = timeline.trace.word("turn");
    this.#timer = timeline.trace.word("timer");
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** It stands still: whatever becomes due for it waits. */
  get paused(): boolean {
    return this.#paused;
  }

  die(): void {
    this.#alive = false;
    this.#held = [];
  }

  pause(): void {
    this.#paused = true;
  }

  /** All that became due meanwhile happens now, in order. */
  resume(): void {
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.timeline.requeue(event);
  }

  hold(event: SimEvent): void {
    this.#held.push(event);
  }

  /** Something for a process that stands still: it happens once it goes on. */
  onceResumed(kind: string, detail: string, run: () => void): void {
    this.hold(this.#event(kind, detail, run));
  }

  /** An event of this process. */
  schedule(delayUs: number, kind: string, detail: string, run: () => void): SimEvent {
    return this.timeline.schedule(delayUs, this.#event(kind, detail, run));
  }

  /** The same for what happens all the time. */
  scheduleTurn(run: () => void): void {
    this.timeline.schedule(0, new SimEvent(this, this.#word, this.#turn, undefined, run));
  }

  scheduleTimer<Subject>(delayUs: number, subject: Subject, run: (subject: Subject) => void): SimEvent {
    const event = new SimEvent(this, this.#word, this.#timer, undefined, undefined);
    event.happensTo(subject, run);
    return this.timeline.schedule(delayUs, event);
  }

  /** An event of this process whose words its user keeps. */
  scheduleFor<Subject>(
    delayUs: number,
    kind: Word,
    detail: Word,
    subject: Subject,
    run: (subject: Subject) => void,
  ): SimEvent {
    const event = new SimEvent(this, this.#word, kind, detail, undefined);
    event.happensTo(subject, run);
    return this.timeline.schedule(delayUs, event);
  }

  /** What `complete` returns, or throws, at the end of the delay, in an event of its own. */
  after<Result>(
    delayUs: number,
    kind: string,
    detail: string,
    complete: () => Result,
    numbers: readonly number[] = NONE,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const event = this.schedule(delayUs, kind, detail, () => {
        try {
          resolve(complete());
        } catch (error) {
          reject(error);
        }
      });
      const [first = 0, second = 0, third = 0] = numbers;
      event.withNumbers(numbers.length, first, second, third);
    });
  }

  #event(kind: string, detail: string, run: () => void): SimEvent {
    const { trace } = this.timeline;
    return new SimEvent(this, this.#word, trace.word(kind), detail === "" ? undefined : trace.word(detail), run);
  }
}
