import { readFileSync } from "node:fs";
import protobuf from "protobufjs";

/** The .proto files beside `src` and `dist`. */
const FILES = ["mvccpb.proto", "authpb.proto", "etcdserverpb.proto", "balsa.proto"];

function loadSchema(): protobuf.Root {
  const root = new protobuf.Root();
  for (const file of FILES) {
    const text = readFileSync(new URL(`../../proto/${file}`, import.meta.url), "utf8");
    protobuf.parse(text, root, { keepCase: false });
  }
  root.resolveAll();
  return root;
}

const schema: protobuf.Root = loadSchema();

export interface MethodSchema {
  readonly name: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

export interface ServiceSchema {
  /** With its package: `etcdserverpb.KV`. */
  readonly name: string;
  readonly methods: readonly MethodSchema[];
}

/** The services that the files declare, served or not. */
export function services(): readonly ServiceSchema[] {
  const etcd = schema.lookup("etcdserverpb");
  if (!(etcd instanceof protobuf.Namespace)) throw new Error("the protocol files declare no package etcdserverpb");
  return etcd.nestedArray
    .filter((nested) => nested instanceof protobuf.Service)
    .map((service) => ({
      name: `etcdserverpb.${service.name}`,
      methods: service.methodsArray.map((method) => ({
        name: method.name,
        requestStream: method.requestStream === true,
        responseStream: method.responseStream === true,
      })),
    }));
}

/**
 * Bytes to a message and back. `Message` is what the .proto file says of it in the words of TypeScript: names in camel
 * case, 64-bit integers as Long when decoded, as Long or number when encoded. Fields that did not come have their
 * defaults.
 */
export interface MessageCodec<Decoded, Encoded = Decoded> {
  /** @throws Error when the bytes are no such message */
  decode(bytes: Uint8Array): Decoded;
  encode(message: Encoded): Uint8Array;
}

export function messageCodec<Decoded, Encoded = Decoded>(name: string): MessageCodec<Decoded, Encoded> {
  const type = schema.lookupType(name);
  return {
    // The one place where what protobufjs builds from the files is taken for what our interfaces say; the tests compare.
    decode: (bytes) => type.decode(bytes) as unknown as Decoded,
    encode: (message) => type.encode(message as object).finish(),
  };
}
