import type { Message, StorageAppend, StorageAppendResponse, StorageApply, StorageApplyResponse } from "./message.js";
import { LOCAL_APPEND, LOCAL_APPLY, NONE } from "./message.js";
import type { Raft } from "./raft.js";
import type { Ready } from "./ready.js";

/*
 * A Ready's work for the storage, as messages (C9): what is to be stored or applied, and with it the answers that are
 * to be delivered when that is done. In the plain mode nobody carries the messages: the answers to this node itself are
 * stepped by `advance`.
 */

/** What of a Ready concerns the storage. */
export interface StorageWork extends Pick<Ready, "hardState" | "entries" | "snapshot" | "committedEntries"> {
  /** Of the committed entries, counted once: they are many. */
  readonly committedBytes: number;
}

/** undefined: there is nothing to store, and no message waits for what is being stored already. */
export function storageAppend(raft: Raft, work: StorageWork): StorageAppend | undefined {
  const { hardState, entries, snapshot } = work;
  const waiting = raft.messagesAfterAppend;
  if (hardState === undefined && entries.length === 0 && snapshot === undefined && waiting.length === 0)
    return undefined;
  // The own answer comes last: until then terms are looked up in the unstable tail, which is quicker.
  const answer = storageAppendResponse(raft, work);
  // A list of their own: what is sent after this is for a later write to carry.
  const responses: readonly Message[] =
    answer === undefined ? waiting.slice() : waiting.length === 0 ? [answer] : [...waiting, answer];
  const term = hardState?.term ?? NONE;
  return { type: "storage-append", from: raft.id, to: LOCAL_APPEND, term, hardState, entries, snapshot, responses };
}

/** undefined: there is nothing whose storing this node waits for. */
export function storageAppendResponse(raft: Raft, { snapshot }: StorageWork): StorageAppendResponse | undefined {
  const { unstable } = raft.log;
  const hasEntries = unstable.length > 0;
  if (!hasEntries && snapshot === undefined) return undefined;
  return {
    type: "storage-append-response",
    from: LOCAL_APPEND,
    to: raft.id,
    // With it an answer that comes in a later term is told apart.
    term: raft.term,
    // All that is unstable by now, even if an earlier write holds it: writes are done in order.
    index: hasEntries ? raft.log.lastIndex() : NONE,
    logTerm: hasEntries ? raft.log.lastTerm() : 0,
    snapshot,
  };
}

export function storageApply(raft: Raft, work: StorageWork): StorageApply | undefined {
  const entries = work.committedEntries;
  if (entries.length === 0) return undefined;
  const responses = [storageApplyResponse(raft, work)];
  return { type: "storage-apply", from: raft.id, to: LOCAL_APPLY, term: 0, entries, responses };
}

export function storageApplyResponse(raft: Raft, work: StorageWork): StorageApplyResponse {
  const { committedEntries: entries, committedBytes: bytes } = work;
  return { type: "storage-apply-response", from: LOCAL_APPLY, to: raft.id, term: 0, entries, bytes };
}
