import { BalsaError, type BalsaErrorCode } from "balsa/core";
import { ServerError, type ServerErrorCode } from "../server-error.js";

/** The codes of gRPC that are used here, by number as the protocol has them. */
const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const;

/** How a failed call ends. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}

/** etcd's codes and texts: its clients tell errors apart by them. `undefined`: the error's own message. */
const STATUSES: Readonly<Record<ServerErrorCode, readonly [code: number, details: string | undefined]>> = {
  "key-not-provided": [GRPC.invalidArgument, "etcdserver: key is not provided"],
  "value-provided": [GRPC.invalidArgument, "etcdserver: value is provided"],
  "lease-provided": [GRPC.invalidArgument, "etcdserver: lease is provided"],
  "duplicate-key": [GRPC.invalidArgument, "etcdserver: duplicate key given in txn request"],
  "too-many-operations": [GRPC.invalidArgument, "etcdserver: too many operations in txn request"],
  "invalid-sort-option": [GRPC.invalidArgument, "etcdserver: invalid sort option"],
  "invalid-compare": [GRPC.invalidArgument, "etcdserver: invalid compare"],
  "request-too-large": [GRPC.invalidArgument, "etcdserver: request is too large"],
  malformed: [GRPC.internal, undefined],
  "key-not-found": [GRPC.invalidArgument, "etcdserver: key not found"],
  "lease-not-found": [GRPC.notFound, "etcdserver: requested lease not found"],
  "future-revision": [GRPC.outOfRange, "etcdserver: mvcc: required revision is a future revision"],
  compacted: [GRPC.outOfRange, "etcdserver: mvcc: required revision has been compacted"],
  "no-space": [GRPC.resourceExhausted, "etcdserver: mvcc: database space exceeded"],
  "no-leader": [GRPC.unavailable, "etcdserver: no leader"],
  "leader-changed": [GRPC.unavailable, "etcdserver: leader changed"],
  timeout: [GRPC.unavailable, "etcdserver: request timed out"],
  "too-many-requests": [GRPC.resourceExhausted, "etcdserver: too many requests"],
  stopped: [GRPC.unavailable, "etcdserver: server stopped"],
  corrupt: [GRPC.dataLoss, "etcdserver: corrupt cluster"],
  cancelled: [GRPC.cancelled, "context canceled"],
  "not-there-yet": [GRPC.unimplemented, undefined],
  "invalid-option": [GRPC.unknown, undefined],
  "address-in-use": [GRPC.unknown, undefined],
  "data-directory": [GRPC.unknown, undefined],
  unreachable: [GRPC.unavailable, undefined],
  internal: [GRPC.internal, undefined],
};

/** What the library underneath reports, in the server's words. */
const FROM_LIBRARY: Readonly<Record<BalsaErrorCode, ServerErrorCode>> = {
  "not-leader": "no-leader",
  superseded: "leader-changed",
  timeout: "timeout",
  overloaded: "too-many-requests",
  "disk-full": "no-space",
  "too-large": "request-too-large",
  aborted: "cancelled",
  closed: "stopped",
  removed: "stopped",
  "membership-refused": "not-there-yet",
  "storage-failed": "stopped",
  "state-machine-failed": "stopped",
  invariant: "stopped",
  corrupt: "corrupt",
  "invalid-argument": "internal",
  "identity-mismatch": "internal",
  locked: "internal",
  "address-in-use": "internal",
  "session-expired": "internal",
};

export function statusOf(cause: unknown): GrpcStatus {
  if (cause instanceof ServerError) return statusOfCode(cause.code, cause.message);
  if (cause instanceof BalsaError) return statusOfCode(FROM_LIBRARY[cause.code], `balsa: ${cause.message}`);
  return { code: GRPC.internal, details: `balsa: ${cause instanceof Error ? cause.message : String(cause)}` };
}

function statusOfCode(code: ServerErrorCode, message: string): GrpcStatus {
  const [grpcCode, details] = STATUSES[code];
  return { code: grpcCode, details: details ?? message };
}
