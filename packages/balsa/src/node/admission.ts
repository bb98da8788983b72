import { BalsaError, type RawNode } from "../core/index.js";
import type { Logger } from "../platform/index.js";
import type { DiskStorage } from "../storage/index.js";
import type { Transport } from "../transport/index.js";
import type { ClusterMembers } from "./cluster-members.js";
import { BOOTSTRAP_INDEX, BOOTSTRAP_TERM } from "./first-snapshot.js";
import { INTRODUCTION_TIMEOUT_MS, MEMBERS_MAX } from "./limits.js";
import { decodeAnswer, encodeRequest } from "./requests.js";

export interface AdmissionParts {
  readonly raw: RawNode;
  readonly storage: DiskStorage;
  readonly transport: Transport;
  readonly members: ClusterMembers;
  readonly logger: Logger;
  readonly tickMs: number;
  readonly onAdmitted: () => void;
  readonly onRefused: (error: BalsaError) => void;
}

/** Whether the directory has promised nothing: neither a vote nor an entry. It is new, or as good as new. */
export function hasPromisedNothing(storage: DiskStorage): boolean {
  const { hardState } = storage.initialState();
  return (
    storage.snapshot().meta.index === BOOTSTRAP_INDEX &&
    storage.lastIndex() === BOOTSTRAP_INDEX &&
    hardState.term === BOOTSTRAP_TERM &&
    hardState.vote === 0
  );
}

/**
 * A first member with a new directory is either at its very first start, or it has lost its disk and is about to
 * contradict what it has promised. It cannot tell; the others can. So it takes no part, neither votes nor acknowledges,
 * before so many others have answered that they know it with no other directory that every quorum without it includes
 * one of them: whatever its former self has promised to a quorum, one of them knows.
 *
 * - Entries: clients' commands are committed only behind a record of the incarnations of those whose acknowledgements
 *   counted (ClusterMembers). That record was in the logs of a quorum before, so one of those that answer has it.
 * - Votes: a quorum was at the term of each leader that its former self has voted for, so the highest term among the
 *   answers is no lower. It takes that term on, and gives its vote in it to nobody.
 */
export class Admission {
  private admitted: boolean;
  /** Terms of those who know it with no other directory. */
  private readonly answers: Map<number, number> = new Map();
  private readonly asking: Set<number> = new Set();
  private readonly parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.parts = parts;
    this.admitted = !hasPromisedNothing(parts.storage);
  }

  /** Whether this member takes part. */
  get isAdmitted(): boolean {
    return this.admitted;
  }

  /** Asks those that have not answered. */
  tick(): void {
    if (this.admitted) return;
    const { raw, members } = this.parts;
    if (this.conclude()) return;
    for (const { id, address } of members.configuration.members) if (id !== raw.id) this.ask(id, address);
  }

  /** One that was no first member dials: there is a cluster, and it may know of a former self, if the first ones left. */
  meet(id: number, address: string): void {
    if (!this.admitted && address !== "" && this.asking.size < MEMBERS_MAX) this.ask(id, address);
  }

  private ask(id: number, address: string): void {
    if (this.answers.has(id) || this.asking.has(id)) return;
    const { raw, storage, transport, tickMs } = this.parts;
    const { incarnation } = storage.identity;
    const body = encodeRequest({ kind: "introduce", id: raw.id, incarnation });
    this.asking.add(id);
    // A second at least: with short ticks and a slow network a connection and an answer take longer than some of them.
    void transport.ask({ id, address }, body, Math.max(tickMs * 10, INTRODUCTION_TIMEOUT_MS)).then((outcome) => {
      this.asking.delete(id);
      if (outcome.kind === "answered") this.answered(id, outcome.body);
    });
  }

  private answered(from: number, body: Uint8Array): void {
    if (this.admitted) return;
    const answer = decodeAnswer(body);
    if (answer.kind !== "introduced") return;
    switch (answer.known) {
      case "not-yet":
      case "as-this":
        // Quorums are of first members.
        if (this.parts.members.find(from) === undefined) return;
        this.answers.set(from, answer.term);
        this.conclude();
        return;
      case "otherwise":
        this.parts.onRefused(knownOtherwise());
        return;
      case "removed":
        this.parts.onRefused(wasRemoved());
        return;
      default:
        answer.known satisfies never;
    }
  }

  private conclude(): boolean {
    const { raw, members, logger } = this.parts;
    const { voters } = members.confState;
    const quorum = Math.floor(voters.length / 2) + 1;
    if (this.answers.size < voters.length - quorum + 1 && voters.length > 1) return false;
    this.admitted = true;
    const term = Math.max(BOOTSTRAP_TERM, ...this.answers.values());
    logger.log("info", "this member takes part: nobody knows it with another data directory", { term });
    if (term > BOOTSTRAP_TERM) {
      const from = [...this.answers.keys()][0] ?? raw.id;
      const nothing = { index: 0, rejected: false, hintIndex: 0, hintTerm: 0 };
      raw.step({ type: "append-response", from, to: raw.id, term, ...nothing });
      const furthest = { lastIndex: Number.MAX_SAFE_INTEGER, lastTerm: Number.MAX_SAFE_INTEGER, transfer: true };
      raw.step({ type: "vote", from: raw.id, to: raw.id, term, ...furthest });
    }
    this.parts.onAdmitted();
    return true;
  }
}

export function knownOtherwise(): BalsaError {
  return new BalsaError(
    "identity-mismatch",
    "the cluster knows this member with another data directory: this one must neither vote nor acknowledge in its place. " +
      "If that directory is lost, open this one again: it then joins as a new learner under the same name, and votes once it has caught up. " +
      "If it is not lost, open that one",
  );
}

export function wasRemoved(): BalsaError {
  return new BalsaError(
    "removed",
    "this member was removed from its cluster; to add its machine anew, open an empty directory with `cluster: { join }`",
  );
}
