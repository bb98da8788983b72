import type { NamedAddress } from "./address.js";

/** One member, as its operator describes it. */
export interface MemberOptions {
  readonly name: string;
  readonly dataDir: string;
  /** `host:port` */
  readonly clientAddresses: readonly string[];
  /** What clients are told to connect to. */
  readonly advertisedClientUrls: readonly string[];
  /** `host:port` */
  readonly peerAddress: string;
  /** The cluster's first members, this one among them; undefined: the directory must know them. */
  readonly bootstrap: { readonly id: string; readonly members: readonly NamedAddress[] } | undefined;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** A snapshot is taken after this many entries, at the latest. */
  readonly snapshotEntries: number;
}
