/** Older than any lease, and than any round that could begin one. */
const LONG_AGO: number = Number.MAX_SAFE_INTEGER;

/** A lease as plain data. */
export interface ReadLeaseState {
  readonly round: number;
  readonly roundAgeTicks: number;
  readonly ageTicks: number;
}

/**
 * How long a leader may answer reads by its clock alone (thesis §6.4.1). A quorum that confirms a round of heartbeats
 * has heard of the leader after the round began, and each of these voters keeps to it for an election timeout from then
 * on: until that has passed since the round's beginning, no other node is elected.
 *
 * Differs from etcd, where the lease is what check-quorum leaves of it: a leader that has heard of a quorum since its
 * last check leads on until the next, for almost two election timeouts after its followers have last heard of it; they
 * may have elected another by then.
 */
export class ReadLease {
  /** The round that is to begin the next lease; 0 = none is under way. */
  private round = 0;
  /** Ticks since that round began. */
  private roundAgeTicks = 0;
  /** Ticks since the round began that began this lease. */
  private ageTicks: number = LONG_AGO;

  /** Whether a round that begins now is to begin a lease: one is under way at a time, and one that is lost gives way. */
  wantsRound(electionTicks: number): boolean {
    return this.round === 0 || this.roundAgeTicks >= electionTicks;
  }

  begin(round: number): void {
    this.round = round;
    this.roundAgeTicks = 0;
  }

  /** A quorum has confirmed all rounds up to this one. */
  confirm(round: number): void {
    if (this.round === 0 || round < this.round) return;
    this.ageTicks = this.roundAgeTicks;
    this.round = 0;
  }

  tick(): void {
    if (this.round !== 0) this.roundAgeTicks++;
    // Past any election timeout its age tells nothing more.
    if (this.ageTicks < LONG_AGO) this.ageTicks++;
  }

  /**
   * One tick less than the voters keep to it, as ticks of different nodes don't fall together: a voter's first one may
   * come right after it has heard of the leader, while this node's next one is still to come.
   */
  holds(electionTicks: number): boolean {
    return this.ageTicks < electionTicks - 1;
  }

  reset(): void {
    this.round = 0;
    this.roundAgeTicks = 0;
    this.ageTicks = LONG_AGO;
  }

  /** For copies of the whole state. */
  save(): ReadLeaseState {
    const { round, roundAgeTicks, ageTicks } = this;
    return { round, roundAgeTicks, ageTicks };
  }

  restore({ round, roundAgeTicks, ageTicks }: ReadLeaseState): void {
    this.round = round;
    this.roundAgeTicks = roundAgeTicks;
    this.ageTicks = ageTicks;
  }
}
