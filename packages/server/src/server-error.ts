/** Why a request was refused or failed. Closed: what each one looks like to a client is in `rpc/status.ts`. */
export type ServerErrorCode =
  // The request itself is wrong.
  | "key-not-provided"
  | "value-provided"
  | "lease-provided"
  | "duplicate-key"
  | "too-many-operations"
  | "invalid-sort-option"
  | "invalid-compare"
  | "request-too-large"
  /** Its bytes are no such message. */
  | "malformed"
  // It does not fit the state.
  | "key-not-found"
  | "lease-not-found"
  | "future-revision"
  | "compacted"
  | "no-space"
  // The cluster can't serve it now.
  | "no-leader"
  | "leader-changed"
  | "timeout"
  | "too-many-requests"
  | "stopped"
  | "corrupt"
  /** The caller gave up. */
  | "cancelled"
  /** Part of etcd's API that this server does not have yet. */
  | "not-there-yet"
  // A member can't be started as it was told.
  | "invalid-option"
  | "address-in-use"
  | "data-directory"
  /** The client's side: no endpoint could be reached. */
  | "unreachable"
  | "internal";

/** The one error class of this package. */
export class ServerError extends Error {
  readonly code: ServerErrorCode;

  /** `message`: where a client sees a fixed text for this code, it is for logs only. */
  constructor(code: ServerErrorCode, message: string = code, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ServerError";
    this.code = code;
  }
}
