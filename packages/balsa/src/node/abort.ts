/**
 * What the runtime needs of an AbortSignal. Declared here since nothing above the platform has the DOM's or Node's
 * types; the real one fits.
 */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How long a call may take, and who may call it off. */
export interface CallOptions {
  /** Milliseconds, rounded up to the group's ticks. Default 5,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignalLike | undefined;
}

export const TIMEOUT_MS_DEFAULT = 5_000;
