import type { Clock, CloseReason, Connection, ConnectionHandlers, Listener, Network } from "../platform/index.js";
import type { ContractCase } from "./contract-case.js";
import { ContractError } from "./contract-case.js";
import { expectEqual, expectRejection, expectTrue } from "./expectation.js";

export interface NetworkSubject {
  readonly network: Network;
  readonly clock: Clock;
  /** A host that this network can listen on and reach. */
  readonly host: string;
}

/** One end of a connection that remembers all it was told. */
class Recorder implements ConnectionHandlers {
  connection: Connection | undefined;
  readonly events: string[] = [];
  readonly received: number[] = [];
  receivedBytes = 0;
  drains = 0;
  closeReason: CloseReason | undefined;
  #waiting: { readonly isReached: () => boolean; readonly resolve: () => void }[] = [];

  onOpen(): void {
    this.#happened("open");
  }

  onData(bytes: Uint8Array): void {
    expectTrue(bytes.length > 0, "data is at least a byte");
    this.receivedBytes += bytes.length;
    if (this.received.length < 10_000) this.received.push(...bytes.subarray(0, 10_000));
    this.#happened("data");
  }

  onDrain(): void {
    this.drains += 1;
    this.#happened("drain");
  }

  onClose(reason: CloseReason): void {
    this.closeReason = reason;
    this.#happened("close");
  }

  /** Once this holds after something happened here. */
  until(isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isReached, resolve });
      this.#check();
    });
  }

  closed(): Promise<void> {
    return this.until(() => this.closeReason !== undefined);
  }

  /** Calls of onClose. */
  get closes(): number {
    return this.events.filter((event) => event === "close").length;
  }

  #happened(event: string): void {
    this.events.push(event);
    this.#check();
  }

  #check(): void {
    this.#waiting = this.#waiting.filter(({ isReached, resolve }) => {
      if (!isReached()) return true;
      resolve();
      return false;
    });
  }
}

function connectionOf(recorder: Recorder): Connection {
  if (recorder.connection === undefined) throw new ContractError("there must be a connection");
  return recorder.connection;
}

function dial(network: Network, address: string): Recorder {
  const recorder = new Recorder();
  recorder.connection = network.connect(address, recorder);
  return recorder;
}

interface Pair {
  readonly listener: Listener;
  readonly dialled: Recorder;
  readonly accepted: Recorder;
}

/** A connection that is up, seen from both ends. */
async function connect({ network, host }: NetworkSubject): Promise<Pair> {
  const accepted = new Recorder();
  let accept = (): void => {};
  const isAccepted = new Promise<void>((resolve) => {
    accept = resolve;
  });
  const listener = await network.listen(`${host}:0`, (connection) => {
    accepted.connection = connection;
    accept();
    return accepted;
  });
  const dialled = dial(network, listener.address);
  await dialled.until(() => dialled.events.includes("open"));
  await isAccepted;
  return { listener, dialled, accepted };
}

async function hangUp(pair: Pair): Promise<void> {
  connectionOf(pair.dialled).close();
  await pair.dialled.closed();
  await pair.accepted.closed();
  await pair.listener.close();
}

function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}

const connecting: readonly ContractCase<NetworkSubject>[] = [
  {
    name: "listening on port 0 tells the port that was given, which can be dialled",
    async run(subject) {
      const pair = await connect(subject);
      const port = Number(pair.listener.address.slice(pair.listener.address.lastIndexOf(":") + 1));
      expectTrue(port > 0 && port < 65536, `no port in ${pair.listener.address}`);
      expectEqual(pair.dialled.events, ["open"], "events of the dialler");
      expectEqual(pair.accepted.events, [], "events of the acceptor: an accepted connection is open");
      expectEqual(connectionOf(pair.dialled).remoteAddress, pair.listener.address, "the dialler's remote address");
      expectEqual(connectionOf(pair.dialled).peerIdentity, undefined, "nothing was proved");
      await hangUp(pair);
    },
  },
  {
    name: "an address in use is refused as such, and free again once the listener is closed",
    async run({ network, host }) {
      const first = await network.listen(`${host}:0`, () => new Recorder());
      const again = network.listen(first.address, () => new Recorder());
      await expectRejection(again, "address-in-use", "listening twice");
      await first.close();
      const second = await network.listen(first.address, () => new Recorder());
      expectEqual(second.address, first.address, "the address");
      await second.close();
    },
  },
  {
    name: "what is no address of the form host:port cannot be listened on, and dialling it ends as unreachable",
    async run({ network, host }) {
      for (const address of ["", "nonsense", `${host}:`, `${host}:99999`, ":1", "a:b:c"]) {
        const listening = network.listen(address, () => new Recorder());
        await expectRejection(listening, "bad-address", `listening on "${address}"`);
        const dialled = dial(network, address);
        expectEqual(dialled.events, [], "events before connect returned");
        await dialled.closed();
        expectEqual(dialled.closeReason?.kind, "unreachable", `dialling "${address}"`);
        expectEqual(dialled.events, ["close"], "events");
      }
    },
  },
  {
    name: "dialling where nobody listens ends as unreachable, in a later turn, with a message",
    async run({ network, host }) {
      const listener = await network.listen(`${host}:0`, () => new Recorder());
      await listener.close();
      const dialled = dial(network, listener.address);
      expectEqual(dialled.events, [], "events before connect returned");
      await dialled.closed();
      expectEqual(dialled.events, ["close"], "events");
      const reason = dialled.closeReason;
      expectTrue(reason?.kind === "unreachable" && reason.message.length > 0, "it is unreachable, and told why");
    },
  },
  {
    name: "closing a listener leaves its connections alone",
    async run(subject) {
      const pair = await connect(subject);
      await pair.listener.close();
      connectionOf(pair.dialled).write([new Uint8Array([1, 2, 3])]);
      await pair.accepted.until(() => pair.accepted.receivedBytes === 3);
      await hangUp(pair);
    },
  },
  {
    name: "a connection closed before it is up closes once and does not open",
    async run(subject) {
      const listener = await subject.network.listen(`${subject.host}:0`, () => new Recorder());
      const dialled = dial(subject.network, listener.address);
      connectionOf(dialled).close();
      await dialled.closed();
      await sleep(subject.clock, 20);
      expectEqual(dialled.events, ["close"], "events");
      expectEqual(dialled.closeReason, { kind: "closed" }, "reason");
      await listener.close();
    },
  },
];

const sending: readonly ContractCase<NetworkSubject>[] = [
  {
    name: "bytes arrive in order, both ways, whatever the cuts",
    async run(subject) {
      const pair = await connect(subject);
      const expected: number[] = [];
      for (let i = 0; i < 200; i += 1) {
        const buffers = [new Uint8Array([i]), new Uint8Array(0), new Uint8Array([i + 1, i + 2, i + 3])];
        for (const buffer of buffers) expected.push(...buffer);
        connectionOf(pair.dialled).write(buffers);
        connectionOf(pair.accepted).write(buffers);
      }
      for (const end of [pair.accepted, pair.dialled]) {
        await end.until(() => end.receivedBytes === expected.length);
        expectEqual(end.received, expected, "bytes");
      }
      await hangUp(pair);
    },
  },
  {
    name: "what is written before the connection is up arrives",
    async run(subject) {
      const accepted = new Recorder();
      const listener = await subject.network.listen(`${subject.host}:0`, (connection) => {
        accepted.connection = connection;
        connection.write([new Uint8Array([9])]);
        return accepted;
      });
      const dialled = dial(subject.network, listener.address);
      connectionOf(dialled).write([new Uint8Array([1, 2])]);
      await accepted.until(() => accepted.receivedBytes === 2);
      await dialled.until(() => dialled.receivedBytes === 1);
      expectEqual(accepted.received, [1, 2], "bytes at the acceptor");
      expectEqual(dialled.received, [9], "bytes at the dialler");
      expectEqual(dialled.events[0], "open", "onOpen comes before all else");
      await hangUp({ listener, dialled, accepted });
    },
  },
  {
    name: "bytes received stay unchanged while they are held",
    async run(subject) {
      const pair = await connect(subject);
      const held: Uint8Array[] = [];
      pair.accepted.onData = (bytes) => {
        held.push(bytes);
      };
      const total = 50;
      for (let i = 0; i < total; i += 1) {
        connectionOf(pair.dialled).write([new Uint8Array(100).fill(i)]);
        await sleep(subject.clock, 1);
      }
      while (held.reduce((sum, bytes) => sum + bytes.length, 0) < total * 100) await sleep(subject.clock, 1);
      const all = held.flatMap((bytes) => [...bytes]);
      expectTrue(
        all.every((byte, at) => byte === Math.floor(at / 100)),
        "each byte must be what was sent",
      );
      await hangUp(pair);
    },
  },
  {
    name: "queuedBytes grows while the receiver is paused, and onDrain tells when it is 0 again",
    async run(subject) {
      const pair = await connect(subject);
      const sender = connectionOf(pair.dialled);
      const receiver = connectionOf(pair.accepted);
      receiver.pause();
      const piece = new Uint8Array(1024 * 1024);
      const pieces = 32;
      for (let i = 0; i < pieces; i += 1) sender.write([piece]);
      await sleep(subject.clock, 50);
      expectTrue(sender.queuedBytes > 0, "32 MiB are more than the system takes while nobody reads");
      const drainsBefore = pair.dialled.drains;
      expectEqual(pair.accepted.receivedBytes, 0, "bytes received while paused");
      receiver.resume();
      await pair.dialled.until(() => pair.dialled.drains > drainsBefore);
      expectEqual(sender.queuedBytes, 0, "queuedBytes when drained");
      await pair.accepted.until(() => pair.accepted.receivedBytes === pieces * piece.length);
      await hangUp(pair);
    },
  },
  {
    name: "after a write queuedBytes is 0 at once, or onDrain follows",
    async run(subject) {
      const pair = await connect(subject);
      const sender = connectionOf(pair.dialled);
      for (let i = 0; i < 20; i += 1) {
        const drainsBefore = pair.dialled.drains;
        sender.write([new Uint8Array(10), new Uint8Array(20)]);
        if (sender.queuedBytes > 0) await pair.dialled.until(() => pair.dialled.drains > drainsBefore);
        expectEqual(sender.queuedBytes, 0, "queuedBytes");
      }
      await hangUp(pair);
    },
  },
];

const closing: readonly ContractCase<NetworkSubject>[] = [
  {
    name: "who closes hears closed, the other end hears that it ended or broke; both exactly once, in a later turn",
    async run(subject) {
      const pair = await connect(subject);
      connectionOf(pair.accepted).close();
      expectEqual(pair.accepted.closeReason, undefined, "reason before close returned");
      connectionOf(pair.accepted).close();
      await pair.accepted.closed();
      await pair.dialled.closed();
      expectEqual(pair.accepted.closeReason, { kind: "closed" }, "reason of who closed");
      const kind = pair.dialled.closeReason?.kind;
      expectTrue(kind === "ended" || kind === "reset", `the other end heard ${kind}`);
      connectionOf(pair.dialled).close();
      await sleep(subject.clock, 20);
      expectEqual([pair.accepted.closes, pair.dialled.closes], [1, 1], "calls of onClose");
      await pair.listener.close();
    },
  },
  {
    name: "closing both ends at once closes each once",
    async run(subject) {
      const pair = await connect(subject);
      connectionOf(pair.accepted).close();
      connectionOf(pair.dialled).close();
      await pair.accepted.closed();
      await pair.dialled.closed();
      await sleep(subject.clock, 20);
      expectEqual([pair.accepted.closes, pair.dialled.closes], [1, 1], "calls of onClose");
      expectEqual(pair.dialled.closeReason, { kind: "closed" }, "reason");
      await pair.listener.close();
    },
  },
  {
    name: "after close nothing more arrives, and writing has no effect",
    async run(subject) {
      const pair = await connect(subject);
      const [sender, receiver] = [connectionOf(pair.dialled), connectionOf(pair.accepted)];
      for (let i = 0; i < 100; i += 1) sender.write([new Uint8Array(1000)]);
      await pair.accepted.until(() => pair.accepted.receivedBytes > 0);
      receiver.close();
      receiver.write([new Uint8Array(10)]);
      const receivedBytes = pair.accepted.receivedBytes;
      await pair.accepted.closed();
      await pair.dialled.closed();
      sender.write([new Uint8Array(10)]);
      await sleep(subject.clock, 20);
      expectEqual(pair.accepted.receivedBytes, receivedBytes, "bytes received after close");
      expectEqual(pair.accepted.events.at(-1), "close", "last event of who closed");
      expectEqual(pair.dialled.events.at(-1), "close", "last event of the other end");
      await pair.listener.close();
    },
  },
  {
    name: "a connection may be closed from its own handlers",
    async run(subject) {
      const pair = await connect(subject);
      const receiver = connectionOf(pair.accepted);
      let pieces = 0;
      pair.accepted.onData = () => {
        pieces += 1;
        receiver.close();
      };
      connectionOf(pair.dialled).write([new Uint8Array(100_000)]);
      await pair.accepted.closed();
      await pair.dialled.closed();
      expectEqual(pieces, 1, "pieces received");
      await pair.listener.close();
    },
  },
];

/** What `Network`, `Listener` and `Connection` promise. */
export const networkContract: readonly ContractCase<NetworkSubject>[] = [...connecting, ...sending, ...closing];
