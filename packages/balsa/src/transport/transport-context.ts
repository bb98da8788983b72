import { ByteWriter } from "../codec/index.js";
import type { Platform } from "../platform/index.js";
import { PROTOCOLS, type ProtocolRange, type TransportIdentity } from "./hello.js";
import { SLAB_BYTES, TRANSPORT_LIMITS, type TransportLimits } from "./limits.js";
import { Pulse } from "./pulse.js";
import { ThrottledLog } from "./throttled-log.js";
import { type Counters, newCounters } from "./transport-stats.js";

/** What all connections of a transport share. */
export interface TransportContext {
  readonly platform: Pick<Platform, "clock" | "network" | "random" | "logger">;
  readonly self: TransportIdentity;
  readonly spoken: ProtocolRange;
  readonly limits: TransportLimits;
  readonly counters: Counters;
  /** For lines that others can provoke. */
  readonly throttledLog: ThrottledLog;
  /** Once an interval, for all links. */
  readonly pulse: Pulse;
  /** Encodes one write at a time. */
  readonly writer: ByteWriter;
}

export function newContext(
  platform: TransportContext["platform"],
  self: TransportIdentity,
  limits: Partial<TransportLimits> | undefined,
  spoken: ProtocolRange = PROTOCOLS,
): TransportContext {
  return {
    platform,
    self,
    spoken,
    limits: { ...TRANSPORT_LIMITS, ...limits },
    counters: newCounters(),
    throttledLog: new ThrottledLog(platform.clock, platform.logger),
    pulse: new Pulse(platform.clock),
    writer: new ByteWriter(SLAB_BYTES),
  };
}
