import { totalEntryBytes } from "./entry-size.js";
import type { HardState } from "./hard-state.js";
import { EMPTY_HARD_STATE } from "./hard-state.js";
import { invariant } from "./invariant.js";
import type { Message } from "./message.js";
import { NONE } from "./message.js";
import type { Raft } from "./raft.js";
import type { Ready, Role } from "./ready.js";
import { step } from "./step.js";
import type { StorageWork } from "./storage-writes.js";
import { storageAppend, storageAppendResponse, storageApply, storageApplyResponse } from "./storage-writes.js";

const NOTHING: readonly never[] = [];

/** What the caller knows of this node's state, and what it has yet to say that it is done with. */
export interface HandedOver {
  readonly lead: number;
  readonly role: Role;
  readonly hardState: HardState;
  /** Plain mode: what this node has to tell itself once the caller has stored and applied the last Ready. */
  readonly stepsOnAdvance: readonly Message[];
}

/** What was handed to the caller in Readies so far: what is new since makes the next one. */
export class Handover {
  private lead: number = NONE;
  private role: Role = "follower";
  private hardState: HardState = EMPTY_HARD_STATE;
  private stepsOnAdvance: readonly Message[] = NOTHING;

  /** The caller knows this already: it stands in its storage, or goes without saying. */
  begin(raft: Raft): void {
    this.lead = raft.lead;
    this.role = raft.role;
    this.hardState = currentHardState(raft);
  }

  hasReady(raft: Raft): boolean {
    return (
      raft.messages.length > 0 ||
      raft.messagesAfterAppend.length > 0 ||
      raft.readStates.length > 0 ||
      raft.log.unstable.hasNextEntries() ||
      raft.log.unstable.nextSnapshot() !== undefined ||
      raft.log.hasNextCommittedEntries(mayApplyUnstable(raft)) ||
      this.softStateChanged(raft) ||
      this.hardStateChanged(raft)
    );
  }

  /** All that is new, as a Ready; from here on it counts as handed over. */
  takeReady(raft: Raft): Ready {
    const { log, settings } = raft;
    invariant(this.stepsOnAdvance.length === 0, "advance is called before the next Ready is taken");

    const entries = log.unstable.nextEntries();
    const committedEntries = log.nextCommittedEntries(mayApplyUnstable(raft));
    const committedBytes = totalEntryBytes(committedEntries);
    const hardState = this.hardStateChanged(raft) ? currentHardState(raft) : undefined;
    const mustSync = entries.length > 0 || raft.term !== this.hardState.term || raft.vote !== this.hardState.vote;
    const work = { hardState, entries, snapshot: log.unstable.nextSnapshot(), committedEntries, committedBytes };
    const ready: Ready = {
      softState: this.softStateChanged(raft) ? { lead: raft.lead, role: raft.role } : undefined,
      hardState,
      readStates: raft.readStates.length === 0 ? NOTHING : raft.readStates,
      entries,
      snapshot: work.snapshot,
      committedEntries,
      messages: settings.asyncStorageWrites ? messagesWithWork(raft, work) : this.messagesAndSteps(raft, work),
      mustSync,
    };

    this.lead = raft.lead;
    this.role = raft.role;
    if (hardState !== undefined) this.hardState = hardState;
    // Where nothing was handed out the array stays: most Readies would make three new ones for nothing.
    if (raft.readStates.length > 0) raft.readStates = [];
    if (raft.messages.length > 0) raft.messages = [];
    if (raft.messagesAfterAppend.length > 0) raft.messagesAfterAppend = [];
    log.unstable.acceptInProgress();
    // Not by looking at [-1] of an empty array: that is a search for a property of that name, and an eighth of a Ready.
    const last = committedEntries.length > 0 ? committedEntries[committedEntries.length - 1] : undefined;
    if (last !== undefined) log.acceptApplying(last.index, committedBytes, mayApplyUnstable(raft));
    return ready;
  }

  /** Plain mode: the last Ready is stored and applied. */
  advance(raft: Raft): void {
    const steps = this.stepsOnAdvance;
    this.stepsOnAdvance = NOTHING;
    for (const message of steps) step(raft, message);
  }

  /** For copies of the whole state. */
  save(): HandedOver {
    const { lead, role, hardState, stepsOnAdvance } = this;
    return { lead, role, hardState, stepsOnAdvance };
  }

  restore(saved: HandedOver): void {
    this.lead = saved.lead;
    this.role = saved.role;
    this.hardState = saved.hardState;
    this.stepsOnAdvance = saved.stepsOnAdvance;
  }

  private softStateChanged(raft: Raft): boolean {
    return raft.lead !== this.lead || raft.role !== this.role;
  }

  private hardStateChanged(raft: Raft): boolean {
    const { term, vote, commit } = this.hardState;
    return raft.log.committed !== commit || raft.term !== term || raft.vote !== vote;
  }

  /**
   * Plain mode: messages are sent once the Ready is stored, so those that wait for it join the others. Those to this
   * node itself, and its storage's answers, are stepped when the caller says that it is done.
   */
  private messagesAndSteps(raft: Raft, work: StorageWork): readonly Message[] {
    const messages = raft.messages;
    const steps: Message[] = [];
    for (const message of raft.messagesAfterAppend) (message.to === raft.id ? steps : messages).push(message);
    const stored = storageAppendResponse(raft, work);
    if (stored !== undefined) steps.push(stored);
    if (work.committedEntries.length > 0) steps.push(storageApplyResponse(raft, work));
    this.stepsOnAdvance = steps.length === 0 ? NOTHING : steps;
    return messages.length === 0 ? NOTHING : messages;
  }
}

/** Asynchronous writes: the work itself goes out as messages, with what waits for it as their responses. */
function messagesWithWork(raft: Raft, work: StorageWork): readonly Message[] {
  const append = storageAppend(raft, work);
  if (append !== undefined) raft.sendAtOnce(append);
  const apply = storageApply(raft, work);
  if (apply !== undefined) raft.sendAtOnce(apply);
  return raft.messages.length === 0 ? NOTHING : raft.messages;
}

/** In plain mode entries are stored before they are applied, as the caller does the one after the other. */
function mayApplyUnstable(raft: Raft): boolean {
  return !raft.settings.asyncStorageWrites;
}

function currentHardState(raft: Raft): HardState {
  return { term: raft.term, vote: raft.vote, commit: raft.log.committed };
}
