import { RuleBroken } from "./violation.js";

/** Where a log has which term, without what is in it: as a member has it in memory, or on disk. */
export class WatchedLog {
  /** The log begins behind this index. */
  #baseIndex = 0;
  #baseTerm = 0;
  #terms: number[] = [];

  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#terms.length;
  }

  get lastTerm(): number {
    return this.#terms.length === 0 ? this.#baseTerm : (this.#terms[this.#terms.length - 1] as number);
  }

  /** undefined: before the log's base, or behind its end. */
  term(index: number): number | undefined {
    return index === this.#baseIndex ? this.#baseTerm : this.#terms[index - this.#baseIndex - 1];
  }

  /** Whether the entry of that term is there, or a snapshot that stands for it. */
  holds(index: number, term: number): boolean {
    return index < this.#baseIndex || this.term(index) === term;
  }

  /** A snapshot takes the place of everything. */
  reset(index: number, term: number): void {
    this.#baseIndex = index;
    this.#baseTerm = term;
    this.#terms = [];
  }

  /** Takes the place of whatever was at this index and behind. */
  put(index: number, term: number): void {
    const at = index - this.#baseIndex - 1;
    // Within the part that a snapshot stands for.
    if (at < 0) return;
    if (at > this.#terms.length) throw new RuleBroken("indexes are in order", `entry ${index} leaves a gap`);
    // Setting the length goes through the runtime, even where it changes nothing.
    if (at < this.#terms.length) this.#terms.length = at;
    this.#terms.push(term);
  }

  /** A copy that later changes leave alone. */
  copy(): WatchedLog {
    const log = new WatchedLog();
    log.#baseIndex = this.#baseIndex;
    log.#baseTerm = this.#baseTerm;
    log.#terms = this.#terms.slice();
    return log;
  }
}
