import type { PeerMessage } from "../core/index.js";
import type { BudgetName } from "./configuration.js";

/** What can happen to one node. Everything a system does is one of these at one of its nodes. */
export type Input =
  /** A message comes in. */
  | { readonly kind: "deliver"; readonly message: PeerMessage }
  /** The election timer fires. */
  | { readonly kind: "time-out" }
  /** The leader's heartbeat timer fires. */
  | { readonly kind: "heartbeat" }
  /** The leader's election timer fires: it checks its quorum, and gives up a transfer. */
  | { readonly kind: "check-quorum" }
  /** As long as an election timeout has passed since the leader was heard of. */
  | { readonly kind: "lease-out" }
  /** One tick. */
  | { readonly kind: "tick" }
  | { readonly kind: "propose" }
  /** Proposes the configuration's change of this number. */
  | { readonly kind: "change"; readonly change: number }
  | { readonly kind: "transfer"; readonly to: number }
  | { readonly kind: "read"; readonly request: number }
  | { readonly kind: "ready" }
  /** The oldest write is durable. */
  | { readonly kind: "write" }
  /** The oldest batch of committed entries is applied. */
  | { readonly kind: "apply" }
  /** The node loses its memory, and its writes but for the `kept` oldest; it starts again from its disk. */
  | { readonly kind: "crash"; readonly kept: number }
  | { readonly kind: "compact" }
  /** The transport tells the leader what became of a snapshot. */
  | { readonly kind: "report"; readonly peer: number; readonly outcome: "success" | "failure" };

export type InputKind = Input["kind"];

/** What an input is charged to; undefined = it costs nothing. */
export const CHARGED_TO: Readonly<Record<InputKind, BudgetName | undefined>> = {
  deliver: undefined,
  "time-out": "timeouts",
  heartbeat: "heartbeats",
  "check-quorum": "time",
  "lease-out": "time",
  tick: "time",
  propose: "proposals",
  change: "changes",
  transfer: "transfers",
  read: "reads",
  ready: undefined,
  write: undefined,
  apply: undefined,
  crash: "crashes",
  compact: "compactions",
  report: undefined,
};
