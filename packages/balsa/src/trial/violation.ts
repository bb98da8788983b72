/** The rules that every run is held against (docs/simulation.md lists them). */
export type Rule =
  | "one leader a term"
  | "a leader's log only grows"
  | "entries give way only to others"
  | "only the own term is committed by counting"
  | "no campaign over a change"
  | "leadership goes to whole logs"
  | "log matching"
  | "leader completeness"
  | "committed entries stay"
  | "committed is on a durable quorum"
  | "terms, votes, commit and applied only grow"
  | "indexes are in order"
  | "persist before send"
  | "one vote a term"
  | "what was durable is recovered"
  | "one configuration change at a time"
  | "a removed member never comes back"
  | "an acknowledged change is made"
  | "applied in order, once"
  | "the same state everywhere"
  | "an acknowledged write is applied"
  | "a refused write is not applied"
  | "nothing out of nowhere"
  | "a session's command takes effect once"
  | "linearizable"
  | "bounded log and disk"
  | "no member stops by itself"
  | "members start"
  | "heals in time";

/** What must not be, and was. */
export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
  readonly atMs: number;
  /** A page that shows it, where there is one. */
  readonly page?: string;
  /** Where the error came from that broke it, if one did. Of this machine's paths: in no trace. */
  readonly stack?: string;
}

/** What else there is to say of one. */
export interface ViolationParts {
  /** Left out: now. */
  readonly atMs?: number | undefined;
  readonly page?: string;
  /** What was thrown. */
  readonly thrown?: unknown;
}

/** Of the error that the others came from. */
export function stackOf(error: unknown): string | undefined {
  let first = error;
  while (first instanceof Error && first.cause instanceof Error) first = first.cause;
  return first instanceof Error ? first.stack : undefined;
}

/** Thrown where a checker finds one: ends the call of the member that it watches, and with it the run. */
export class RuleBroken extends Error {
  readonly rule: Rule;
  constructor(rule: Rule, detail: string) {
    super(`${rule}: ${detail}`);
    this.name = "RuleBroken";
    this.rule = rule;
  }
}
