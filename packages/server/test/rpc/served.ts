import * as grpc from "@grpc/grpc-js";
import { noop } from "cockatiel";
import { Etcd3 } from "etcd3";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { GrpcListener } from "../../src/rpc/grpc-listener.js";
import { handlersOf } from "../../src/rpc/services.js";
import { messageCodec } from "../../src/wire/schema.js";
import { StandInConsensus } from "../stand-in-consensus.js";

/** How a call ended that did not succeed. */
export interface CallFailure {
  readonly code: number;
  readonly details: string;
}

/** The gRPC side as it ships, over a consensus of one process. */
export class Served {
  readonly state: EtcdState;
  readonly consensus: StandInConsensus;
  /** A client nobody here wrote. */
  readonly etcd3: Etcd3;
  readonly address: string;
  private readonly listener: GrpcListener;
  private readonly raw: grpc.Client;

  static async start(): Promise<Served> {
    return new Served(await openListener());
  }

  private constructor(opened: { listener: GrpcListener; state: EtcdState; consensus: StandInConsensus }) {
    this.state = opened.state;
    this.consensus = opened.consensus;
    this.listener = opened.listener;
    const [address] = opened.listener.addresses;
    if (address === undefined) throw new Error("no address");
    this.address = address;
    this.etcd3 = new Etcd3({ hosts: `http://${address}`, faultHandling: { host: () => noop, global: noop } });
    this.raw = new grpc.Client(address, grpc.credentials.createInsecure(), { "grpc.max_send_message_length": -1 });
  }

  /** A unary call in bytes. Rejects with CallFailure. */
  callBytes(method: string, request: Uint8Array, metadata: Readonly<Record<string, string>> = {}): Promise<Buffer> {
    const headers = new grpc.Metadata();
    for (const [name, value] of Object.entries(metadata)) headers.set(name, value);
    return new Promise((resolve, reject) => {
      this.raw.makeUnaryRequest(
        `/etcdserverpb.${method}`,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes: Buffer) => bytes,
        request,
        headers,
        (error, response) => (response === undefined ? reject(error ?? new Error("no answer")) : resolve(response)),
      );
    });
  }

  /** A unary call with the request as an object in the words of the .proto file. */
  call(
    method: string,
    requestType: string,
    request: object,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<Buffer> {
    return this.callBytes(method, messageCodec<never, object>(`etcdserverpb.${requestType}`).encode(request), metadata);
  }

  /** How a call fails that is expected to. */
  async failure(call: Promise<unknown>): Promise<CallFailure> {
    try {
      await call;
    } catch (error) {
      const { code, details } = error as CallFailure;
      return { code, details };
    }
    throw new Error("the call succeeded");
  }

  /** How a stream of answers ends, with a first request sent; `open`: with more to come. */
  streamFailure(method: string, open: boolean): Promise<CallFailure> {
    return new Promise((resolve) => {
      const identity = (bytes: Buffer): Buffer => bytes;
      const stream = this.raw.makeBidiStreamRequest(`/etcdserverpb.${method}`, identity, identity);
      stream.on("error", (error) => {
        const { code, details } = error as unknown as CallFailure;
        resolve({ code, details });
      });
      stream.on("data", () => {});
      stream.write(Buffer.alloc(0));
      if (!open) stream.end();
    });
  }

  async stop(): Promise<void> {
    this.etcd3.close();
    this.raw.close();
    await this.listener.close(100);
  }
}

async function openListener(): Promise<{ listener: GrpcListener; state: EtcdState; consensus: StandInConsensus }> {
  const state = new EtcdState();
  const consensus = new StandInConsensus(state);
  const { clusterId, memberId } = consensus;
  const handlers = handlersOf({ consensus, state, responder: { clusterId, memberId }, timeoutMs: 7_000 });
  return { listener: await GrpcListener.open(["127.0.0.1:0"], handlers), state, consensus };
}
