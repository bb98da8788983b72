import type {
  ConfState,
  Entry,
  HardState,
  Message,
  NodeChange,
  NodeChangeKind,
  PeerStatus,
  ProposedEntry,
  Ready,
  Role,
  Snapshot,
} from "../../src/core/index.js";
import { asConfChangeV2, decodeConfChange, LOCAL_APPEND, LOCAL_APPLY, NONE } from "../../src/core/index.js";
import { goQuote } from "./go-quote.js";

/* How things print in the traces (FORMAT.md, "How things print"). */

const MESSAGE_NAMES: Record<Message["type"], string> = {
  append: "MsgApp",
  "append-response": "MsgAppResp",
  heartbeat: "MsgHeartbeat",
  "heartbeat-response": "MsgHeartbeatResp",
  vote: "MsgVote",
  "vote-response": "MsgVoteResp",
  "pre-vote": "MsgPreVote",
  "pre-vote-response": "MsgPreVoteResp",
  snapshot: "MsgSnap",
  "timeout-now": "MsgTimeoutNow",
  "transfer-leader": "MsgTransferLeader",
  propose: "MsgProp",
  "read-index": "MsgReadIndex",
  "read-index-response": "MsgReadIndexResp",
  "storage-append": "MsgStorageAppend",
  "storage-append-response": "MsgStorageAppendResp",
  "storage-apply": "MsgStorageApply",
  "storage-apply-response": "MsgStorageApplyResp",
};

const ROLE_NAMES: Record<Role, string> = {
  follower: "StateFollower",
  "pre-candidate": "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

const ENTRY_NAMES: Record<Entry["type"], string> = {
  normal: "EntryNormal",
  "conf-change": "EntryConfChange",
  "conf-change-v2": "EntryConfChangeV2",
};

const PROGRESS_NAMES: Record<PeerStatus["state"], string> = {
  probe: "StateProbe",
  replicate: "StateReplicate",
  snapshot: "StateSnapshot",
};

export const CHANGE_LETTERS: Record<NodeChangeKind, string> = {
  "add-voter": "v",
  "add-learner": "l",
  remove: "r",
  update: "u",
};

export function messageName(type: Message["type"]): string {
  return MESSAGE_NAMES[type];
}

export function roleName(role: Role): string {
  return ROLE_NAMES[role];
}

export function describeReady(ready: Ready): string {
  let out = "";
  const { softState, hardState, readStates, entries, snapshot, committedEntries, messages } = ready;
  if (softState !== undefined) out += `Lead:${softState.lead} State:${ROLE_NAMES[softState.role]}\n`;
  if (hardState !== undefined) out += `HardState ${describeHardState(hardState)}\n`;
  if (readStates.length > 0) out += `ReadStates [${readStates.map((r) => `{${r.index} ${r.requestId}}`).join(" ")}]\n`;
  if (entries.length > 0) out += `Entries:\n${describeEntries(entries)}`;
  if (snapshot !== undefined) out += `Snapshot ${describeSnapshot(snapshot)}\n`;
  if (committedEntries.length > 0) out += `CommittedEntries:\n${describeEntries(committedEntries)}`;
  if (messages.length > 0) out += `Messages:\n${messages.map((m) => `${describeMessage(m)}\n`).join("")}`;
  return out === "" ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:\n${out}`;
}

function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NONE ? "" : ` Vote:${vote}`} Commit:${commit}`;
}

export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join("");
}

/** A proposal that is forwarded has no place in the log yet: 0/0. */
function describeEntry(entry: Entry | ProposedEntry): string {
  const position = "index" in entry ? `${entry.term}/${entry.index}` : "0/0";
  const content = entry.type === "normal" ? goQuote(entry.data) : describeConfChange(entry);
  return `${position} ${ENTRY_NAMES[entry.type]}${content === "" ? "" : ` ${content}`}`;
}

function describeConfChange(entry: Pick<Entry, "type" | "data">): string {
  return describeChanges(asConfChangeV2(decodeConfChange(entry)).changes);
}

function describeChanges(changes: readonly NodeChange[]): string {
  return changes.map(({ kind, id }) => `${CHANGE_LETTERS[kind]}${id}`).join(" ");
}

function describeSnapshot({ meta }: Snapshot): string {
  return `Index:${meta.index} Term:${meta.term} ConfState:${describeConfState(meta.confState)}`;
}

function describeConfState(conf: ConfState): string {
  const list = (ids: readonly number[]): string => `[${ids.join(" ")}]`;
  return (
    `Voters:${list(conf.voters)} VotersOutgoing:${list(conf.votersOutgoing)} Learners:${list(conf.learners)} ` +
    `LearnersNext:${list(conf.learnersNext)} AutoLeave:${conf.autoLeave}`
  );
}

/** The fields that all of etcd's messages have, as far as ours of that type has something to say there. */
interface PrintedFields {
  readonly from: number;
  readonly logTerm: number;
  readonly index: number;
  readonly hint: number | undefined;
  readonly commit: number;
  readonly vote: number;
  readonly entries: readonly (Entry | ProposedEntry)[];
  readonly snapshot: Snapshot | undefined;
  readonly responses: readonly Message[];
}

export function describeMessage(message: Message, indent = ""): string {
  const { from, logTerm, index, hint, commit, vote, entries, snapshot, responses } = printedFields(message);
  const name = MESSAGE_NAMES[message.type];
  let out = `${indent}${target(from)}->${target(message.to)} ${name} Term:${message.term} Log:${logTerm}/${index}`;
  if (hint !== undefined) out += ` Rejected (Hint: ${hint})`;
  if (commit !== 0) out += ` Commit:${commit}`;
  if (vote !== 0) out += ` Vote:${vote}`;
  if (entries.length === 1) out += ` Entries:[${entries.map(describeEntry).join("")}]`;
  if (entries.length > 1) {
    out += ` Entries:[${entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join("")}\n${indent}]`;
  }
  if (snapshot !== undefined && snapshot.meta.index !== 0)
    out += `\n${indent}  Snapshot: ${describeSnapshot(snapshot)}`;
  if (responses.length > 0) {
    out += ` Responses:[${responses.map((r) => `\n${describeMessage(r, `${indent}  `)}`).join("")}\n${indent}]`;
  }
  return out;
}

const NOTHING: Omit<PrintedFields, "from"> = {
  logTerm: 0,
  index: 0,
  hint: undefined,
  commit: 0,
  vote: 0,
  entries: [],
  snapshot: undefined,
  responses: [],
};

function printedFields(message: Message): PrintedFields {
  const common = { ...NOTHING, from: message.from };
  switch (message.type) {
    case "append": {
      const { prevIndex, prevTerm, entries, commit } = message;
      return { ...common, index: prevIndex, logTerm: prevTerm, entries, commit };
    }
    case "append-response": {
      const { index, rejected, hintIndex, hintTerm } = message;
      return rejected ? { ...common, index, logTerm: hintTerm, hint: hintIndex } : { ...common, index };
    }
    case "heartbeat":
      return { ...common, commit: message.commit };
    case "vote":
    case "pre-vote":
      return { ...common, index: message.lastIndex, logTerm: message.lastTerm };
    case "vote-response":
    case "pre-vote-response":
      return message.rejected ? { ...common, hint: 0 } : common;
    case "snapshot":
      return { ...common, snapshot: message.snapshot };
    case "transfer-leader":
      // etcd keeps the transferee where others keep the sender.
      return { ...common, from: message.transferee };
    case "propose":
      return { ...common, entries: message.entries };
    case "read-index-response":
      return { ...common, index: message.index };
    case "storage-append": {
      const { hardState, entries, snapshot, responses } = message;
      return { ...common, commit: hardState?.commit ?? 0, vote: hardState?.vote ?? 0, entries, snapshot, responses };
    }
    case "storage-append-response":
      return { ...common, index: message.index, logTerm: message.logTerm, snapshot: message.snapshot };
    case "storage-apply":
      return { ...common, entries: message.entries, responses: message.responses };
    case "storage-apply-response":
      return { ...common, entries: message.entries };
    case "heartbeat-response":
    case "timeout-now":
    case "read-index":
      return common;
    default:
      throw new Error(message satisfies never);
  }
}

function target(id: number): string {
  if (id === NONE) return "None";
  if (id === LOCAL_APPEND) return "AppendThread";
  if (id === LOCAL_APPLY) return "ApplyThread";
  return id.toString(16);
}

type PrintedProgress = Pick<
  PeerStatus,
  "id" | "state" | "match" | "next" | "isLearner" | "paused" | "pendingSnapshot" | "recentlyActive"
> &
  Pick<PeerStatus, "inflightMessages" | "inflightsFull">;

export function describeProgress(peers: readonly PrintedProgress[]): string {
  return peers.map((peer) => `${peer.id}: ${describePeer(peer)}\n`).join("");
}

function describePeer(peer: PrintedProgress): string {
  let out = `${PROGRESS_NAMES[peer.state]} match=${peer.match} next=${peer.next}`;
  if (peer.isLearner) out += " learner";
  if (peer.paused) out += " paused";
  if (peer.pendingSnapshot > 0) out += ` pendingSnap=${peer.pendingSnapshot}`;
  if (!peer.recentlyActive) out += " inactive";
  if (peer.inflightMessages > 0) out += ` inflight=${peer.inflightMessages}${peer.inflightsFull ? "[full]" : ""}`;
  return out;
}

export function describeConfig(conf: ConfState): string {
  const majority = (ids: readonly number[]): string => `(${ids.join(" ")})`;
  let out = `voters=${majority(conf.voters)}`;
  if (conf.votersOutgoing.length > 0) out += `&&${majority(conf.votersOutgoing)}`;
  if (conf.learners.length > 0) out += ` learners=${majority(conf.learners)}`;
  if (conf.learnersNext.length > 0) out += ` learners_next=${majority(conf.learnersNext)}`;
  if (conf.autoLeave) out += " autoleave";
  return out;
}
