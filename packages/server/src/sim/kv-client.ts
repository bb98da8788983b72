/* Requests to bytes and answers from bytes, as a client of etcd would: nothing here is shared with the server's codecs but the schema. */
import type Long from "long";
import type { Compare, RequestOp } from "../mvcc/request.js";
import type { KvService } from "../rpc/kv-service.js";
import { ServerError } from "../server-error.js";
import { type MessageCodec, messageCodec } from "../wire/schema.js";
import type { KvAnswer, KvRefusal, PlainKeyValue } from "./kv-answer.js";
import type { KvRequest } from "./kv-request.js";

interface WireKeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: Long;
  readonly modRevision: Long;
  readonly version: Long;
  readonly lease: Long;
}
interface WireResponse {
  readonly header: { readonly revision: Long } | null;
  readonly kvs: readonly WireKeyValue[];
  readonly count: Long;
  readonly more: boolean;
  readonly prevKv: WireKeyValue | null;
  readonly deleted: Long;
  readonly prevKvs: readonly WireKeyValue[];
  readonly succeeded: boolean;
  readonly responses: readonly {
    readonly responseRange: WireResponse | null;
    readonly responsePut: WireResponse | null;
    readonly responseDeleteRange: WireResponse | null;
    readonly responseTxn: WireResponse | null;
  }[];
}

interface Codecs {
  readonly request: MessageCodec<never, object>;
  readonly response: MessageCodec<WireResponse>;
}
const codec = (name: string): Codecs => ({
  request: messageCodec<never, object>(`etcdserverpb.${name}Request`),
  response: messageCodec<WireResponse>(`etcdserverpb.${name}Response`),
});
const codecs = {
  range: codec("Range"),
  put: codec("Put"),
  delete: codec("DeleteRange"),
  txn: codec("Txn"),
  compact: codec("Compaction"),
};

const REFUSALS: readonly KvRefusal[] = ["key-not-found", "lease-not-found", "future-revision", "compacted"];

/**
 * Asks a member's service. What the state has against the request is an answer.
 * @throws what the service throws otherwise
 */
export async function callKv(service: KvService, input: KvRequest): Promise<KvAnswer> {
  const { request, response } = codecs[input.kind];
  const bytes = request.encode(wireRequest(input));
  try {
    return plainResponse(input.kind, response.decode(await method(service, input.kind, bytes)));
  } catch (cause) {
    const refusal = REFUSALS.find((code) => cause instanceof ServerError && cause.code === code);
    if (refusal === undefined) throw cause;
    return refusal;
  }
}

function method(service: KvService, kind: KvRequest["kind"], bytes: Uint8Array): Promise<Uint8Array> {
  switch (kind) {
    case "range":
      return service.range(bytes);
    case "put":
      return service.put(bytes);
    case "delete":
      return service.deleteRange(bytes);
    case "txn":
      return service.txn(bytes);
    case "compact":
      return service.compact(bytes);
    default:
      kind satisfies never;
      throw new Error("no such method");
  }
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** Keys and values as bytes, enumerations as their numbers; the rest has the .proto file's names already. */
function wireRequest({ kind, request }: KvRequest): object {
  if (kind === "txn") {
    const { compare, success, failure } = request;
    return { compare: compare.map(wireCompare), success: success.map(wireOp), failure: failure.map(wireOp) };
  }
  return wireFields(request);
}

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  sortOrder: ["none", "ascend", "descend"],
  sortTarget: ["key", "version", "create", "mod", "value"],
  result: ["equal", "greater", "less", "not-equal"],
  target: ["version", "create", "mod", "value", "lease"],
};

function wireFields(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => {
      if (typeof value === "bigint") return [name, Number(value)];
      if (typeof value !== "string") return [name, value];
      return [name, name in ENUMS ? ENUMS[name]?.indexOf(value) : latin1(value)];
    }),
  );
}

function wireCompare({ operand, ...compare }: Compare): object {
  const name = { version: "version", create: "createRevision", mod: "modRevision", value: "value", lease: "lease" };
  return wireFields({ ...compare, [name[compare.target]]: operand });
}

function wireOp(op: RequestOp): object {
  switch (op.kind) {
    case "range":
      return { requestRange: wireFields(op.range) };
    case "put":
      return { requestPut: wireFields(op.put) };
    case "delete-range":
      return { requestDeleteRange: wireFields(op.deleteRange) };
    case "txn":
      return { requestTxn: wireRequest({ kind: "txn", request: op.txn }) };
    case "nothing":
      return {};
    default:
      op satisfies never;
      throw new Error("no such operation");
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function plainKeyValue(kv: WireKeyValue): PlainKeyValue {
  return {
    key: text(kv.key),
    value: text(kv.value),
    lease: BigInt(kv.lease.toString()),
    mod: kv.modRevision.toNumber(),
    create: kv.createRevision.toNumber(),
    version: kv.version.toNumber(),
  };
}

function plainResponse(kind: KvRequest["kind"], response: WireResponse): KvAnswer {
  const revision = response.header?.revision.toNumber() ?? 0;
  switch (kind) {
    case "range":
      return { revision, kvs: response.kvs.map(plainKeyValue), count: response.count.toNumber(), more: response.more };
    case "put":
      return { revision, previous: response.prevKv === null ? undefined : plainKeyValue(response.prevKv) };
    case "delete":
      return { revision, deleted: response.deleted.toNumber(), previous: response.prevKvs.map(plainKeyValue) };
    case "compact":
      return { revision };
    case "txn": {
      const responses = response.responses.map((op): KvAnswer => {
        if (op.responseRange !== null) return plainResponse("range", op.responseRange);
        if (op.responsePut !== null) return plainResponse("put", op.responsePut);
        if (op.responseDeleteRange !== null) return plainResponse("delete", op.responseDeleteRange);
        if (op.responseTxn !== null) return plainResponse("txn", op.responseTxn);
        throw new Error("an empty answer");
      });
      return { revision, succeeded: response.succeeded, responses };
    }
    default:
      kind satisfies never;
      throw new Error("no such answer");
  }
}
