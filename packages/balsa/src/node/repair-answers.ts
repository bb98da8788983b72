import { entryRecordBytes, sealEntry } from "../codec/index.js";
import { type Entry, isJoint, type RawNode, type SnapshotMessage } from "../core/index.js";
import type { Logger } from "../platform/index.js";
import type { DamagedDirectory, DiskStorage } from "../storage/index.js";
import type { Configuration } from "./configuration.js";
import { GROUP } from "./first-snapshot.js";
import { APPEND_BYTES_MAX, REPAIR_FETCHES_MAX } from "./limits.js";
import {
  decodeRepairRequest,
  encodeRepairAnswer,
  type Position,
  type RepairAnswer,
  type RepairRefusal,
} from "./repair-requests.js";

/** A member that takes part, as it is asked by one that is being repaired. */
export interface WholeLog {
  readonly raw: RawNode;
  readonly storage: DiskStorage;
  /** As far as it has applied. */
  readonly configuration: Configuration;
  /** How far that is; 0 = a snapshot is on its way into the state. */
  readonly applied: number;
  readonly logger: Logger;
  readonly sendSnapshot: (message: SnapshotMessage) => void;
  /** A member is in a later term than this one. */
  readonly learnTerm: (from: number, term: number) => void;
}

/** @throws BalsaError `corrupt` (the request) */
export async function answerFromWhole(log: WholeLog, asker: number, body: Uint8Array): Promise<Uint8Array> {
  const { raw, storage } = log;
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
        members: log.configuration.members,
      });
    case "entries": {
      const { after, anchor } = request;
      const read = await fetched(log, after.index, () => {
        const refusal = holds(raw, after) ?? holds(raw, anchor);
        return refusal ?? entriesBehind(raw, after.index, anchor.index);
      });
      return isRefusal(read) ? refused(read) : encodeRepairAnswer({ kind: "entries", entries: read });
    }
    case "leader-entries": {
      const { after, termMin } = request;
      if (termMin > raw.term) log.learnTerm(asker, termMin);
      const read = await fetched(log, after.index, () => {
        if (raw.role !== "leader" || raw.term < termMin) return "not-leader";
        return holds(raw, after) ?? entriesBehind(raw, after.index, raw.lastIndex);
      });
      if (isRefusal(read)) return refused(read);
      return encodeRepairAnswer({ kind: "leader-entries", term: raw.term, lastIndex: raw.lastIndex, entries: read });
    }
    case "snapshot": {
      const { meta } = storage.snapshot();
      if (meta.index === 0) return refused("unknown");
      const snapshot = { meta, data: new Uint8Array(0) };
      log.sendSnapshot({ type: "snapshot", from: raw.id, to: asker, term: raw.term, snapshot });
      return encodeRepairAnswer({ kind: "snapshot-coming" });
    }
    case "configuration": {
      const { confState } = log.configuration;
      if (isJoint(confState) || mayChange(log)) return refused("later");
      return encodeRepairAnswer({ kind: "configuration", voters: confState.voters });
    }
    default:
      request satisfies never;
      return refused("unknown");
  }
}

/** Whether the log has, or may have, a membership change that is not applied. */
function mayChange({ raw, applied }: WholeLog): boolean {
  for (let index = applied; index < raw.lastIndex; ) {
    const entries = raw.entriesFrom(index + 1, APPEND_BYTES_MAX);
    if (typeof entries === "string" || entries.length === 0) return true;
    if (entries.some(({ type }) => type !== "normal")) return true;
    index += entries.length;
  }
  return false;
}

type Read = readonly Entry[] | RepairRefusal;

function isRefusal(read: Read): read is RepairRefusal {
  return typeof read === "string";
}

/** Reads; where what is behind `index` is on disk it is fetched and read again, since anything may have changed. */
async function fetched({ raw, storage, logger }: WholeLog, index: number, read: () => Read): Promise<Read> {
  for (let attempt = 0; attempt < REPAIR_FETCHES_MAX; attempt++) {
    const outcome = read();
    if (outcome !== "later") return outcome;
    try {
      await storage.fetchEntries(index + 1, raw.lastIndex + 1);
    } catch (cause) {
      // Its own log is damaged there. That is its affair when it needs the entry itself.
      logger.log("error", "an entry for a member under repair can't be read", { index: index + 1, cause });
      return "unknown";
    }
  }
  return "later";
}

/** undefined: the log has an entry of that index and term. */
function holds(raw: RawNode, { index, term }: Position): RepairRefusal | undefined {
  const termHere = raw.termAt(index);
  if (termHere === term) return undefined;
  return termHere === undefined && index <= raw.lastIndex ? "compacted" : "unknown";
}

function entriesBehind(raw: RawNode, index: number, last: number): Read {
  const entries = raw.entriesFrom(index + 1, APPEND_BYTES_MAX);
  if (entries === "compacted") return "compacted";
  if (entries === "not-in-memory") return "later";
  const wanted = entries.filter((entry) => entry.index <= last);
  // A leader's newest ones may not have been through a Ready yet.
  for (const entry of wanted) sealEntry(GROUP, entry);
  return wanted;
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
        members: [],
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
    case "configuration":
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
