import { BalsaError, type RawNode } from "../core/index.js";
import type { Logger } from "../platform/index.js";
import type { DiskStorage } from "../storage/index.js";
import type { Transport } from "../transport/index.js";
import type { ClusterMembers } from "./cluster-members.js";
import { BOOTSTRAP_INDEX, BOOTSTRAP_TERM } from "./first-snapshot.js";
import { ASKED_AGAIN_TICKS, INTRODUCTION_TIMEOUT_MS, MEMBERS_MAX } from "./limits.js";
import { decodeAnswer, encodeRequest, type MemberAnswer } from "./requests.js";

type Introduced = Extract<MemberAnswer, { readonly kind: "introduced" }>;

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
 *
 * First members may leave before it has asked enough of them; then the cluster's word that it is known by this directory
 * does as well. One answer is enough, of whoever has *applied* a record of its incarnation: that record is committed, and
 * since this directory has acknowledged nothing yet, by others alone.
 * - Entries: nobody counts what another directory acknowledges, before the record (it names this one, the first that is
 *   recorded stays) or after it. Where a new cluster's first leader did before its record was committed, that one would
 *   name the other directory, and its quorum would have had one in common with the quorum of this record.
 * - Votes: a former self has voted before this directory was made, so for a candidate without the record in its log. In
 *   terms up to the record's this directory votes for nobody, since the answer's is no lower. In a later one that
 *   candidate is never elected (§5.4.3): each quorum that it can have, its own included, has one of those that
 *   acknowledged the record, and these were beyond the record's term before, or refuse it their vote.
 */
export class Admission {
  private admitted: boolean;
  /** Terms of those first members who know it with no other directory. */
  private readonly answers: Map<number, number> = new Map();
  /** The term of one for whom it is committed that it is known by this directory. */
  private knownIn: number | undefined;
  /** Addresses. */
  private readonly asking: Set<string> = new Set();
  private readonly answered: Set<string> = new Set();
  private ticks = 0;
  private readonly parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.parts = parts;
    this.admitted = !hasPromisedNothing(parts.storage);
  }

  /** Whether this member takes part. */
  get isAdmitted(): boolean {
    return this.admitted;
  }

  /** Asks those that have not answered; all of them again from time to time, since they may know more by then. */
  tick(): void {
    if (this.admitted) return;
    const { raw, members } = this.parts;
    if (this.conclude()) return;
    this.ticks += 1;
    if (this.ticks % ASKED_AGAIN_TICKS === 0) this.answered.clear();
    for (const { id, address } of members.configuration.members) if (id !== raw.id) this.ask(address);
  }

  /** One that was no first member dials: there is a cluster, and it may know this member, if the first ones left. */
  meet(address: string): void {
    if (!this.admitted && address !== "" && this.asking.size < MEMBERS_MAX) this.ask(address);
  }

  /** Somebody says that this member was removed. It may have been replaced: it asks which. */
  reconsider(): void {
    this.answered.clear();
  }

  /** Whoever listens there: a first member may have come back under another ID, and know what becomes of this one. */
  private ask(address: string): void {
    if (this.answered.has(address) || this.asking.has(address)) return;
    const { raw, storage, transport, tickMs } = this.parts;
    const { incarnation } = storage.identity;
    const body = encodeRequest({ kind: "introduce", id: raw.id, incarnation });
    this.asking.add(address);
    // A second at least: with short ticks and a slow network a connection and an answer take longer than some of them.
    void transport.ask({ id: 0, address }, body, Math.max(tickMs * 10, INTRODUCTION_TIMEOUT_MS)).then((outcome) => {
      this.asking.delete(address);
      if (outcome.kind !== "answered" || this.admitted) return;
      const answer = decodeAnswer(outcome.body);
      if (answer.kind !== "introduced") return;
      this.answered.add(address);
      this.heard(outcome.by, answer);
    });
  }

  private heard(from: number, answer: Introduced): void {
    switch (answer.known) {
      case "as-this":
        this.knownIn = answer.term;
        this.conclude();
        return;
      case "not-yet":
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
    const tooFew = this.answers.size < voters.length - quorum + 1 && voters.length > 1;
    if (tooFew && this.knownIn === undefined) return false;
    this.admitted = true;
    const term = Math.max(BOOTSTRAP_TERM, this.knownIn ?? 0, ...this.answers.values());
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
