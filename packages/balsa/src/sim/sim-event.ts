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
  readonly detail: Word | undefined;
  numbers = 0;
  first = 0;
  second = 0;
  third = 0;
  /** Undefined once it ran or was cancelled. */
  run: (() => void) | undefined;

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
