import type { Prng } from "../sim/index.js";

/** Clients that propose under sessions (docs/sessions.md): what is small here makes rare things come often. */
export interface SessionSettings {
  /** Those with numbers up to this; the others propose without a session. */
  readonly clients: number;
  /** How long a call may take, ms: one after the other. */
  readonly timeoutsMs: readonly number[];
  /** How long its first attempt is waited for. */
  readonly attemptMs: number;
  /** How often an answer is lost on its way to a client, who hears up to a second later that nothing is known. */
  readonly lostAnswers: number;
  /** How often a request is held up on its way to a member, up to two seconds. */
  readonly lateRequests: number;
  /** So many calls, and the client opens another session. It closes every second one; the others are left to expire. */
  readonly callsEach: number;
  /** Of the state machine. */
  readonly sessionsMax: number;
  readonly resultsMax: number;
}

export function drawSessions(prng: Prng, clients: number): SessionSettings {
  return {
    clients: prng.between(Math.ceil(clients / 2), clients),
    timeoutsMs: prng.pick([[2_500], [200, 1_000, 2_500], [30, 100, 2_500]]),
    // The shorter, the more attempts of one command are in the log.
    attemptMs: prng.pick([20, 100, 1_000]),
    lostAnswers: prng.pick([0, 0.1, 0.4]),
    lateRequests: prng.pick([0, 0.02, 0.2]),
    callsEach: prng.pick([3, 10, 1_000]),
    sessionsMax: prng.pick([2, 5, 8, 100]),
    resultsMax: prng.pick([1, 2, 32]),
  };
}
