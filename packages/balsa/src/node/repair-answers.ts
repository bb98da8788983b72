import { entryRecordBytes, sealEntry } from "../codec/index.js";
import { type Entry, type RawNode, type SnapshotMessage, StorageError } from "../core/index.js";
import type { DamagedDirectory, DiskStorage } from "../storage/index.js";
import { APPEND_BYTES_MAX } from "./limits.js";
import { GROUP } from "./open-storage.js";
import {
  decodeRepairRequest,
  encodeRepairAnswer,
  type Position,
  type RepairAnswer,
  type RepairRefusal,
} from "./repair-requests.js";

/** What a member that takes part answers to one that is being repaired. */
export interface WholeLog {
  readonly raw: RawNode;
  readonly storage: DiskStorage;
  readonly sendSnapshot: (message: SnapshotMessage) => void;
}

/** @throws BalsaError `corrupt` (the request) */
export function answerFromWhole({ raw, storage, sendSnapshot }: WholeLog, asker: number, body: Uint8Array): Uint8Array {
  const request = decodeRepairRequest(body);
  switch (request.kind) {
    case "state":
      return encodeRepairAnswer({
        kind: "state",
        term: raw.term,
        leads: raw.role === "leader",
        lastIndex: raw.lastIndex,
        snapshotIndex: storage.snapshot().meta.index,
        repairing: false,
        termKnown: true,
      });
    case "entries": {
      const { after, anchor } = request;
      const refusal = holds(raw, after) ?? holds(raw, anchor);
      if (refusal !== undefined) return refused(refusal);
      const entries = entriesBehind(raw, after.index, anchor.index);
      return typeof entries === "string" ? refused(entries) : encodeRepairAnswer({ kind: "entries", entries });
    }
    case "leader-entries": {
      if (raw.role !== "leader") return refused("not-leader");
      const refusal = holds(raw, request.after);
      if (refusal !== undefined) return refused(refusal);
      const entries = entriesBehind(raw, request.after.index, raw.lastIndex);
      if (typeof entries === "string") return refused(entries);
      return encodeRepairAnswer({ kind: "leader-entries", term: raw.term, lastIndex: raw.lastIndex, entries });
    }
    case "snapshot": {
      const { meta } = storage.snapshot();
      if (meta.index === 0) return refused("unknown");
      const snapshot = { meta, data: new Uint8Array(0) };
      sendSnapshot({ type: "snapshot", from: raw.id, to: asker, term: raw.term, snapshot });
      return encodeRepairAnswer({ kind: "snapshot-coming" });
    }
    default:
      request satisfies never;
      return refused("unknown");
  }
}

/** undefined: the log has an entry of that index and term. */
function holds(raw: RawNode, { index, term }: Position): RepairRefusal | undefined {
  const termHere = raw.termAt(index);
  if (termHere === term) return undefined;
  return termHere === undefined && index <= raw.lastIndex ? "compacted" : "unknown";
}

function entriesBehind(raw: RawNode, index: number, last: number): readonly Entry[] | RepairRefusal {
  try {
    const entries = raw.entriesFrom(index + 1, APPEND_BYTES_MAX);
    if (entries === "compacted") return "compacted";
    if (entries === "not-in-memory") return "later";
    const wanted = entries.filter((entry) => entry.index <= last);
    // A leader's newest ones may not have been through a Ready yet.
    for (const entry of wanted) sealEntry(GROUP, entry);
    return wanted;
  } catch (cause) {
    if (cause instanceof StorageError) return "later";
    throw cause;
  }
}

/** What a member answers that is being repaired itself: what it can vouch for. @throws BalsaError `corrupt` */
export function answerFromDamaged(directory: DamagedDirectory, body: Uint8Array): Uint8Array {
  const request = decodeRepairRequest(body);
  const { log } = directory;
  switch (request.kind) {
    case "state":
      return encodeRepairAnswer({
        kind: "state",
        term: log.hardState.term,
        leads: false,
        lastIndex: log.lastIndex,
        snapshotIndex: directory.snapshot?.index ?? 0,
        repairing: true,
        termKnown: log.endKnown,
      });
    case "entries": {
      const { after, anchor } = request;
      const holdsBoth = log.termAt(after.index) === after.term && log.termAt(anchor.index) === anchor.term;
      if (!holdsBoth || anchor.term === 0) return refused(after.index < log.beginning.index ? "compacted" : "unknown");
      const entries: Entry[] = [];
      let bytes = 0;
      for (let index = after.index + 1; index <= anchor.index && bytes < APPEND_BYTES_MAX; index++) {
        const entry = log.entryAt(index);
        if (entry === undefined) break;
        entries.push(entry);
        bytes += entryRecordBytes(entry);
      }
      return encodeRepairAnswer({ kind: "entries", entries });
    }
    case "leader-entries":
      return refused("not-leader");
    case "snapshot":
      // Whoever has all of its log has its snapshots, too; the few that have not wait for one that has.
      return refused("later");
    default:
      request satisfies never;
      return refused("unknown");
  }
}

function refused(refusal: RepairRefusal): Uint8Array {
  const answer: RepairAnswer = { kind: "refused", refusal };
  return encodeRepairAnswer(answer);
}
