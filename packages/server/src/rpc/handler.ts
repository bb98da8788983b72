/*
 * What serves a request knows bytes, promises and these few things; which library carries them is not its concern.
 */

export interface CallContext {
  /** The client wants an error rather than an answer from a member that knows no leader. */
  readonly requireLeader: boolean;
}

/** One request, one response, both in bytes of protobuf. @throws ServerError, BalsaError */
export type UnaryHandler = (request: Uint8Array, context: CallContext) => Promise<Uint8Array>;

/** By the method's full name, such as `etcdserverpb.KV/Put`. What is declared and not in here is not there yet. */
export type Handlers = ReadonlyMap<string, UnaryHandler>;
