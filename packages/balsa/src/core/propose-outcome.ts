import type { ConfChangeRefusal } from "./conf-change.js";

/** Why a proposal went nowhere. It is surely not applied, and the same proposal may succeed later. */
export type DropReason =
  /** No leader is known. */
  | "no-leader"
  /** This node is campaigning. */
  | "campaigning"
  /** Another node leads, and forwarding is off. */
  | "not-leader"
  /** This node leads and is no member any more. */
  | "removed"
  /** Leadership is on its way to another node. */
  | "transferring"
  /** Too much is uncommitted. */
  | "over-quota";

/** What became of a proposal. */
export type ProposeOutcome =
  | {
      readonly kind: "accepted";
      /** Place of the first entry. It is committed if an entry of this term is found at this index. */
      readonly index: number;
      readonly term: number;
      /** The last membership change among the entries that went into the log as an empty entry, and why (E1). */
      readonly refusal: ConfChangeRefusal | undefined;
    }
  | {
      readonly kind: "forwarded";
      /** The leader. Whether it accepts is not known here. */
      readonly to: number;
    }
  | { readonly kind: "dropped"; readonly reason: DropReason };
