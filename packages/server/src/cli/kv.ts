import { ServerError } from "../server-error.js";
import { EtcdClient } from "./etcd-client.js";
import { EXIT } from "./exit-code.js";
import {
  deleteRangeRequest,
  deleteRangeResponse,
  type KeyValue,
  putRequest,
  putResponse,
  rangeRequest,
  rangeResponse,
} from "./kv-messages.js";
import type { TextOutput } from "./text-output.js";

export interface ConnectionFlags {
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
}

interface RangeFlags {
  readonly prefix: boolean;
  readonly fromKey: boolean;
}

export interface GetFlags extends ConnectionFlags, RangeFlags {
  readonly limit: number;
  readonly rev: number;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly serializable: boolean;
  readonly json: boolean;
}

export interface PutFlags extends ConnectionFlags {
  readonly prevKv: boolean;
}

export interface DelFlags extends ConnectionFlags, RangeFlags {
  readonly prevKv: boolean;
}

const NEWLINE = "\n";
const ZERO_BYTE: Uint8Array = Uint8Array.of(0);

export async function kvGet(
  key: string,
  rangeEnd: string | undefined,
  flags: GetFlags,
  io: TextOutput,
): Promise<number> {
  const { limit, rev, keysOnly, countOnly, serializable } = flags;
  const range = rangeOf(key, rangeEnd, flags);
  const request = rangeRequest.encode({ ...range, limit, revision: rev, keysOnly, countOnly, serializable });
  const { kvs, count, more } = rangeResponse.decode(await call(flags, "etcdserverpb.KV/Range", request));
  if (flags.json) io.out(`${JSON.stringify({ count: count.toNumber(), more, kvs: kvs.map(readable) })}\n`);
  else if (countOnly) io.out(`${count.toString()}\n`);
  else for (const kv of kvs) print(io, kv, keysOnly);
  return EXIT.ok;
}

export async function kvPut(key: string, value: Uint8Array, flags: PutFlags, io: TextOutput): Promise<number> {
  const request = putRequest.encode({ key: utf8(key), value, prevKv: flags.prevKv });
  const { prevKv } = putResponse.decode(await call(flags, "etcdserverpb.KV/Put", request));
  io.out("OK\n");
  if (prevKv !== null) print(io, prevKv, false);
  return EXIT.ok;
}

export async function kvDel(
  key: string,
  rangeEnd: string | undefined,
  flags: DelFlags,
  io: TextOutput,
): Promise<number> {
  const request = deleteRangeRequest.encode({ ...rangeOf(key, rangeEnd, flags), prevKv: flags.prevKv });
  const { deleted, prevKvs } = deleteRangeResponse.decode(await call(flags, "etcdserverpb.KV/DeleteRange", request));
  io.out(`${deleted.toString()}\n`);
  for (const kv of prevKvs) print(io, kv, false);
  return EXIT.ok;
}

async function call(flags: ConnectionFlags, method: string, request: Uint8Array): Promise<Uint8Array> {
  const client = new EtcdClient(flags.endpoints, flags.timeoutMs);
  try {
    return await client.call(method, request);
  } finally {
    client.close();
  }
}

function rangeOf(
  key: string,
  rangeEnd: string | undefined,
  { prefix, fromKey }: RangeFlags,
): { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array } {
  if (Number(prefix) + Number(fromKey) + Number(rangeEnd !== undefined) > 1) {
    throw new ServerError("invalid-option", "give only one of RANGE_END, --prefix and --from-key");
  }
  const bytes = utf8(key);
  // An empty prefix, and "from the very first", are every key there is.
  const first = bytes.length === 0 && (prefix || fromKey) ? ZERO_BYTE : bytes;
  if (prefix) return { key: first, rangeEnd: endOfPrefix(bytes) };
  if (fromKey) return { key: first, rangeEnd: ZERO_BYTE };
  return rangeEnd === undefined ? { key: bytes } : { key: bytes, rangeEnd: utf8(rangeEnd) };
}

/** The first key behind all that begin with the prefix: its last byte that can be raised, raised. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] ?? 0xff;
    if (byte < 0xff) return Uint8Array.of(...prefix.subarray(0, i), byte + 1);
  }
  return ZERO_BYTE;
}

function print(io: TextOutput, kv: KeyValue, keysOnly: boolean): void {
  io.out(kv.key);
  io.out(NEWLINE);
  if (keysOnly) return;
  io.out(kv.value);
  io.out(NEWLINE);
}

/** For JSON: text where it is text. */
function readable(kv: KeyValue): Readonly<Record<string, string | number>> {
  return {
    ...textOrBase64("key", kv.key),
    ...textOrBase64("value", kv.value),
    createRevision: kv.createRevision.toNumber(),
    modRevision: kv.modRevision.toNumber(),
    version: kv.version.toNumber(),
    lease: kv.lease.toString(),
  };
}

function textOrBase64(name: string, bytes: Uint8Array): Readonly<Record<string, string>> {
  try {
    return { [name]: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { [`${name}Base64`]: Buffer.from(bytes).toString("base64") };
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
