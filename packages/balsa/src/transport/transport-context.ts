import type { ByteWriter } from "../codec/index.js";
import type { Platform } from "../platform/index.js";
import type { TransportIdentity } from "./hello.js";
import type { TransportLimits } from "./limits.js";
import type { ThrottledLog } from "./throttled-log.js";
import type { Counters } from "./transport-stats.js";

/** What all connections of a transport share. */
export interface TransportContext {
  readonly platform: Pick<Platform, "clock" | "network" | "random" | "logger">;
  readonly self: TransportIdentity;
  readonly limits: TransportLimits;
  readonly counters: Counters;
  /** For lines that others can provoke. */
  readonly throttledLog: ThrottledLog;
  /** Encodes one write at a time. */
  readonly writer: ByteWriter;
}
