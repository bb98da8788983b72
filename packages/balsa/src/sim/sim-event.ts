import type { SimProcess } from "./sim-process.js";
import type { Word } from "./trace.js";

/** Something that is going to happen. */
export class SimEvent {
  /** Virtual time, µs. */
  timeUs = 0;
  /** Order among events of one instant: first scheduled, first run. */
  sequence = 0;
  /** Whose event it is; with that process it dies. Undefined: the world's own, which outlives every process. */
  readonly owner: SimProcess | undefined;
  /** The columns of its line in the trace: three words, and up to three int32. */
  readonly node: Word;
  readonly kind: Word;
  detail: Word | undefined;
  numbers = 0;
  first = 0;
  second = 0;
  third = 0;
  /** What happens, to the subject. Undefined once it ran or was cancelled. */
  run: ((subject: unknown) => void) | undefined;
  subject: unknown = undefined;

  constructor(
    owner: SimProcess | undefined,
    node: Word,
    kind: Word,
    detail: Word | undefined,
    run: (() => void) | undefined,
  ) {
    this.owner = owner;
    this.node = node;
    this.kind = kind;
    this.detail = detail;
    this.run = run;
  }

  /** One function for all events of a kind: to make a closure for each and call it once costs 0.1 µs. */
  happensTo<Subject>(subject: Subject, run: (subject: Subject) => void): void {
    this.run = run as (subject: unknown) => void;
    this.subject = subject;
  }

  /** Whether it is still to run. */
  get isDue(): boolean {
    return this.run !== undefined && (this.owner === undefined || this.owner.alive);
  }

  /** What it is about, in numbers: no text has to be made for a trace of which only the hash is kept. */
  withNumbers(numbers: number, first: number, second: number, third: number): void {
    this.numbers = numbers;
    this.first = first;
    this.second = second;
    this.third = third;
  }
}
