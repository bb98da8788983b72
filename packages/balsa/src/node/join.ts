import { BalsaError } from "../core/index.js";
import type { Clock, Platform } from "../platform/index.js";
import { askMember } from "../transport/index.js";
import { knownOtherwise, wasRemoved } from "./admission.js";
import type { MemberRecord } from "./configuration.js";
import { INTRODUCTION_TIMEOUT_MS, JOIN_RETRY_MS, JOIN_TIMEOUT_MS } from "./limits.js";
import { decodeAnswer, encodeRequest, errorOf, type MemberAnswer } from "./requests.js";

/** One without a place in the cluster yet, as it asks for one. */
export interface Newcomer {
  /** 0 = not known. */
  readonly clusterId: number;
  /** 0 = none yet. */
  readonly memberId: number;
  readonly incarnation: number;
  readonly group: number;
  readonly name: string;
}

export interface Joined {
  readonly clusterId: number;
  readonly memberId: number;
  readonly members: readonly MemberRecord[];
}

/**
 * Asks the seeds, and the leader that they name, until one has made it a member. Asking again is safe: a member of its
 * name and incarnation is told that it is one.
 * @throws BalsaError `timeout`, `membership-refused`, `identity-mismatch`; `removed`, of one that has an ID
 */
export async function join(
  platform: Platform,
  newcomer: Newcomer,
  seeds: readonly string[],
  wish: { readonly address: string; readonly promote: boolean },
): Promise<Joined> {
  const { clock, logger } = platform;
  const deadlineMs = clock.now() + JOIN_TIMEOUT_MS;
  const { name, incarnation, memberId: id } = newcomer;
  let hint = "";
  let last = new BalsaError("timeout", "no seed can be reached", { retryable: true });
  logger.log("info", "asks to join a cluster", { seeds, name });
  for (let round = 0; clock.now() < deadlineMs; round++) {
    const address = hint === "" ? (seeds[round % seeds.length] ?? "") : hint;
    hint = "";
    const timeoutMs = Math.min(deadlineMs - clock.now(), 10_000);
    const request = encodeRequest({ kind: "join", id, name, incarnation, ...wish, timeoutMs });
    const outcome = await askMember(platform, newcomer, { id: 0, address }, request, timeoutMs);
    if (outcome.kind === "answered") {
      const answer = decodeAnswer(outcome.body);
      if (answer.kind === "joined") return answer;
      if (answer.kind === "refused") {
        hint = answer.leaderAddress;
        last = errorOf(answer);
        if (answer.refusal === "unknown-member") throw wasRemoved();
        if (isFinal(answer)) throw last;
      }
    } else {
      last = new BalsaError("timeout", `${address}: ${outcome.reason}`, { retryable: true });
      if (outcome.refusal === "cluster" || outcome.refusal === "group" || outcome.refusal === "protocol") {
        throw new BalsaError("identity-mismatch", `${address}: ${outcome.reason}`);
      }
    }
    // Straight on to a leader that was named, once a round.
    if (hint === "" || round % 2 === 1) await pause(clock, JOIN_RETRY_MS);
  }
  throw last;
}

function isFinal(answer: Extract<MemberAnswer, { readonly kind: "refused" }>): boolean {
  if (answer.code === "invalid-argument") return true;
  return answer.refusal === "duplicate-member" || answer.refusal === "too-many-members";
}

export type Introduction = "unknown" | "as-this" | "otherwise" | "removed";

/**
 * Asks all others at once whether they know this member with another data directory; that takes nobody's place. `as-this`:
 * somebody knows it with this one, and nobody otherwise. `unknown`: nobody who could be asked knows it at all.
 */
export async function introduce(
  platform: Platform,
  newcomer: Newcomer,
  others: readonly string[],
): Promise<Introduction> {
  const { memberId, incarnation } = newcomer;
  const request = encodeRequest({ kind: "introduce", id: memberId, incarnation });
  const answers = await Promise.all(
    others.map(async (address): Promise<Introduction> => {
      const to = { id: 0, address };
      const outcome = await askMember(platform, newcomer, to, request, INTRODUCTION_TIMEOUT_MS);
      const answer = outcome.kind === "answered" ? decodeAnswer(outcome.body) : undefined;
      return answer?.kind === "introduced" && answer.known !== "not-yet" ? answer.known : "unknown";
    }),
  );
  const against = answers.find((answer) => answer === "otherwise" || answer === "removed");
  return against ?? (answers.includes("as-this") ? "as-this" : "unknown");
}

/**
 * Who the members are, as the leader tells one that is a member and asks to join. Not before somebody has said that it
 * is one with this very directory: one of whom nobody knew that would be given another's place.
 * @throws BalsaError `removed`, `identity-mismatch`; `timeout`: nobody has said so, or there is no leader
 */
export async function askWhoAreMembers(
  platform: Platform,
  self: Newcomer,
  seeds: readonly string[],
  address: string,
): Promise<readonly MemberRecord[]> {
  const { clock } = platform;
  const deadlineMs = clock.now() + JOIN_TIMEOUT_MS;
  for (;;) {
    const known = await introduce(platform, self, seeds);
    if (known === "as-this") return (await join(platform, self, seeds, { address, promote: false })).members;
    if (known === "otherwise") throw knownOtherwise();
    if (known === "removed") throw wasRemoved();
    if (clock.now() >= deadlineMs) {
      const reason = `nobody at ${seeds.join(", ")} says that this is a member`;
      throw new BalsaError("timeout", reason, { retryable: true });
    }
    await pause(clock, JOIN_RETRY_MS);
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}
