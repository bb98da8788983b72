import { encodeUtf8 } from "../codec/index.js";
import { BalsaError, invariant, type PeerMessage, type SnapshotMessage, unreachable } from "../core/index.js";
import {
  type Connection,
  type ConnectionHandlers,
  type Listener,
  NetworkError,
  type Platform,
} from "../platform/index.js";
import { AcceptedLink, type EstablishedHandlers } from "./accepted-link.js";
import { type Addressee, type Asker, type ExchangeOutcome, Exchanges } from "./exchange.js";
import type { ForwardAnswer } from "./forward.js";
import {
  type Hello,
  type Objection,
  otherIncarnation,
  type ProtocolRange,
  type RefusalCode,
  type TransportIdentity,
  unknownSender,
} from "./hello.js";
import { Inbound } from "./inbound.js";
import { GREETINGS_MAX, NAME_BYTES_MAX, type TransportLimits } from "./limits.js";
import { Peer } from "./peer.js";
import type { SnapshotSink } from "./snapshot-receiver.js";
import type { SnapshotOutcome, SnapshotSource } from "./snapshot-sender.js";
import { SnapshotStreams } from "./snapshot-streams.js";
import { newContext, type TransportContext } from "./transport-context.js";
import type { TransportStats } from "./transport-stats.js";

/** What the transport tells its owner: in turns of its own, but for what `setPeer` and `removePeer` end at once. */
export interface TransportHandlers {
  /** What came from a peer in one frame: as a rule, all it had to say in one turn. */
  onMessages(from: number, messages: readonly PeerMessage[]): void;
  /** To be answered by `answerForward`, with the same `from` and `requestId`. */
  onForward(from: number, requestId: number, commands: readonly Uint8Array[]): void;
  /** `lost`: no answer will come; whether the commands got into the log nobody here knows. */
  onForwardAnswer(from: number, requestId: number, answer: ForwardAnswer | { readonly kind: "lost" }): void;
  /** A peer offers a snapshot whose file has that many bytes. undefined refuses it. */
  openSnapshot(from: number, message: SnapshotMessage, fileBytes: number): Promise<SnapshotSink | undefined>;
  /** The sink has finished: the message may go to the core. */
  onSnapshot(from: number, message: SnapshotMessage): void;
  /** This member's connection to it is accepted, or was never lost though `onPeerDown` said so. */
  onPeerUp(id: number): void;
  /** The peer would not have this member's connection. It is dialled again. */
  onRefused?(id: number, code: RefusalCode, reason: string): void;
  /** Somebody asks: a member, or one that would be. A rejection closes the connection without an answer. */
  onRequest?(asker: Asker, body: Uint8Array): Promise<Uint8Array>;
  /** A member of the same cluster that is no peer here dials. If it is set as a peer now, it is let in. */
  onStranger?(id: number, address: string): void;
  /** Whether it was a member and is none any more: it is told so. */
  isRemoved?(id: number): boolean;
  /** A connection with it closed, whichever side dialled: as a rule its process is gone. Once after each `onPeerUp`. */
  onPeerDown(id: number, reason: string): void;
}

export interface TransportOptions {
  readonly platform: Pick<Platform, "clock" | "network" | "random" | "logger">;
  readonly self: TransportIdentity;
  /** `host:port`; port 0 takes any. */
  readonly listen: string;
  readonly handlers: TransportHandlers;
  /** Default: `TRANSPORT_LIMITS`. */
  readonly limits?: Partial<TransportLimits>;
  /** Default: all that there are. */
  readonly spoken?: ProtocolRange;
}

/** What is known of a peer. */
export interface PeerStatus {
  readonly id: number;
  readonly address: string;
  readonly connected: boolean;
  /** As the peer says; undefined while not connected. */
  readonly name: string | undefined;
  readonly incarnation: number | undefined;
}

/**
 * A member's connections with its peers.
 *
 * Each member dials each of its peers and says on that connection what it has to say, so that one connection keeps the
 * order of all that one member tells another; what it hears comes on the connections that its peers dialled. Snapshots
 * have connections of their own. Lost connections are dialled again for as long as the peer is set.
 */
export class Transport {
  readonly #context: TransportContext;
  readonly #handlers: TransportHandlers;
  /** A few, so that walking them beats a map: an ID is no small integer, and hashing it costs more. */
  #peers: readonly Peer[] = [];
  /** For whom something was queued since the last flush, each once: the first so many. */
  readonly #awaitFlush: Peer[] = [];
  #awaitFlushCount = 0;
  /** The newest connection that each peer dialled. */
  readonly #inbound = new Map<number, Inbound>();
  /** Peers of which `onPeerUp` was the last word. */
  readonly #up = new Set<number>();
  /** Accepted, and not greeted yet, or refused and not closed yet. */
  readonly #greeting = new Set<AcceptedLink>();
  readonly #snapshots: SnapshotStreams;
  readonly #exchanges: Exchanges;
  #listener: Listener | undefined;
  #closed = false;

  /**
   * Listens. Connections are dialled once peers are set.
   * @throws BalsaError `address-in-use`, `invalid-argument`
   */
  static async open(options: TransportOptions): Promise<Transport> {
    if (encodeUtf8(options.self.name).length > NAME_BYTES_MAX) {
      throw new BalsaError("invalid-argument", `the member's name is longer than ${NAME_BYTES_MAX} bytes`);
    }
    const transport = new Transport(options);
    const { network } = options.platform;
    try {
      transport.#listener = await network.listen(options.listen, (connection) => transport.#accept(connection));
    } catch (cause) {
      if (!(cause instanceof NetworkError)) throw cause;
      const code = cause.code === "address-in-use" ? "address-in-use" : "invalid-argument";
      throw new BalsaError(code, cause.message, { cause });
    }
    return transport;
  }

  private constructor({ platform, self, handlers, limits, spoken }: TransportOptions) {
    this.#context = newContext(platform, self, limits, spoken);
    this.#handlers = handlers;
    this.#snapshots = new SnapshotStreams(this.#context);
    this.#exchanges = new Exchanges(this.#context);
  }

  /** In use, with the port that was given for port 0. */
  get address(): string {
    invariant(this.#listener !== undefined, "a transport that is open listens");
    return this.#listener.address;
  }

  /**
   * Dials the peer, and accepts its connections. With a new address the old connection ends; so does one with another
   * incarnation than the given one (0 = any).
   */
  setPeer(id: number, address: string, incarnation = 0): void {
    invariant(id !== this.#context.self.memberId, "a member is no peer of its own");
    const known = this.#peer(id);
    if (this.#closed || (known?.address === address && known.incarnation === incarnation)) return;
    if (known !== undefined) this.#replacePeer(known, address, incarnation);
    if (this.#peer(id) !== undefined) return;
    const peer = new Peer(
      this.#context,
      { id, address, incarnation },
      {
        onConnected: () => this.#alive(id),
        onAlive: () => this.#alive(id),
        onDisconnected: (reason) => this.#down(id, reason),
        onRefused: (code, reason) => this.#handlers.onRefused?.(id, code, reason),
        onForwardAnswer: (requestId, answer) => this.#handlers.onForwardAnswer(id, requestId, answer),
      },
    );
    this.#peers = [...this.#peers, peer];
  }

  /** Ends all connections with it, and refuses new ones. What was forwarded to it is lost; there is no `onPeerDown`. */
  removePeer(id: number): void {
    const peer = this.#peer(id);
    if (peer === undefined) return;
    this.#peers = this.#peers.filter((other) => other !== peer);
    this.#up.delete(id);
    this.#inbound.get(id)?.close();
    this.#inbound.delete(id);
    this.#snapshots.abort(id, "no peer any more");
    this.#dropPeer(peer);
  }

  /** Queues; nothing is written before `flush`. What can't be sent is dropped and counted, heartbeats first. */
  send(messages: readonly PeerMessage[]): void {
    const { counters, throttledLog } = this.#context;
    for (const message of messages) {
      const peer = message.type === "snapshot" ? undefined : this.#peer(message.to);
      if (peer !== undefined) {
        peer.send(message);
        this.#queued(peer);
        continue;
      }
      counters.messagesDropped++;
      const { type, to } = message;
      throttledLog.log("warn", `unsent ${to}`, "message not sent: no such peer, or none of a stream", { type, to });
    }
  }

  /** Ends a turn: one write for each peer, of all that was queued for it. */
  flush(): void {
    for (let i = 0; i < this.#awaitFlushCount; i++) {
      const peer = this.#awaitFlush[i] as Peer;
      peer.awaitsFlush = false;
      // What a connection does not take now it takes when it has drained, or has come up.
      peer.flush();
    }
    // The places stay: to cut the array and to let it grow again, twice a turn, costs more than the flush of one peer.
    this.#awaitFlushCount = 0;
  }

  /**
   * Queues commands for the leader. One `onForwardAnswer` follows, unless it returns false: not connected, or over a
   * limit. `requestId`: fresh for each request, and distinct between the lives of a process.
   */
  forward(to: number, requestId: number, commands: readonly Uint8Array[]): boolean {
    const peer = this.#peer(to);
    if (peer === undefined || !peer.forward(requestId, commands)) return false;
    this.#queued(peer);
    return true;
  }

  /** Queues, in order with `send`: what is sent later arrives later. */
  answerForward(to: number, requestId: number, answer: ForwardAnswer): void {
    const frame = { kind: "forward-answer", requestId, answer } as const;
    const inbound = this.#inbound.get(to);
    inbound?.forwardAnswered();
    const peer = this.#peer(to);
    if (peer?.answerForward(frame) === true) {
      this.#queued(peer);
      return;
    }
    // Not connected: nothing else goes out to it that the answer could have to precede.
    inbound?.writeAnswer(frame);
  }

  /** Streams the file beside the messages. `done` is called once, in a later turn; the source is the caller's to close. */
  sendSnapshot(message: SnapshotMessage, source: SnapshotSource, done: (outcome: SnapshotOutcome) => void): void {
    this.#snapshots.send(this.#peer(message.to)?.address, message, source, done);
  }

  /** Asks a member something, on a connection of its own. Resolves always. */
  ask(to: Addressee, body: Uint8Array, timeoutMs: number): Promise<ExchangeOutcome> {
    return this.#exchanges.ask(to, body, timeoutMs);
  }

  /** The incarnation of the member whose messages come in; 0 while it is not connected. */
  incarnationOf(id: number): number {
    return this.#inbound.get(id)?.incarnation ?? 0;
  }

  /** Whether this member's connection to it is up. */
  connected(id: number): boolean {
    return this.#peer(id)?.isConnected ?? false;
  }

  peers(): readonly PeerStatus[] {
    return this.#peers.map((peer) => ({
      id: peer.id,
      address: peer.address,
      connected: peer.isConnected,
      name: peer.answer?.name,
      incarnation: peer.answer?.incarnation,
    }));
  }

  stats(): TransportStats {
    return { ...this.#context.counters };
  }

  /** Ends everything; snapshots on their way fail. No handler is called any more. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const peer of this.#peers) peer.close();
    for (const inbound of this.#inbound.values()) inbound.close();
    for (const accepted of this.#greeting) accepted.close();
    this.#peers = [];
    this.#inbound.clear();
    this.#greeting.clear();
    this.#exchanges.close();
    await this.#snapshots.close();
    await this.#listener?.close();
  }

  #peer(id: number): Peer | undefined {
    for (const peer of this.#peers) if (peer.id === id) return peer;
    return undefined;
  }

  #queued(peer: Peer): void {
    if (peer.awaitsFlush) return;
    peer.awaitsFlush = true;
    this.#awaitFlush[this.#awaitFlushCount++] = peer;
  }

  #replacePeer(known: Peer, address: string, incarnation: number): void {
    const { id } = known;
    const inbound = this.#inbound.get(id);
    if (incarnation !== 0 && inbound !== undefined && inbound.incarnation !== incarnation) {
      inbound.close();
      this.#inbound.delete(id);
      this.#snapshots.abort(id, "another incarnation of the peer");
      this.#lostInbound(id, "it is of another incarnation");
    }
    // A connection that is as it should be goes on.
    known.incarnation = incarnation;
    const actual = known.answer?.incarnation ?? 0;
    if (known.address === address && (incarnation === 0 || actual === 0 || actual === incarnation)) return;
    this.#peers = this.#peers.filter((peer) => peer !== known);
    this.#dropPeer(known);
    this.#down(id, known.address === address ? "it is of another incarnation" : "its address has changed");
  }

  #dropPeer(peer: Peer): void {
    peer.loseForwards();
    peer.close();
  }

  #alive(id: number): void {
    if (this.#up.has(id)) return;
    this.#up.add(id);
    this.#handlers.onPeerUp(id);
  }

  #down(id: number, reason: string): void {
    if (!this.#up.delete(id)) return;
    this.#snapshots.lostTouch(id);
    this.#handlers.onPeerDown(id, reason);
  }

  // What peers dial.

  #accept(connection: Connection): ConnectionHandlers {
    const { throttledLog } = this.#context;
    if (this.#closed || this.#greeting.size >= GREETINGS_MAX) {
      const remote = connection.remoteAddress;
      throttledLog.log("warn", "greetings", "connection closed: too many without a hello", { remote });
      connection.close();
      return { onOpen: () => {}, onData: () => {}, onDrain: () => {}, onClose: () => {} };
    }
    const accepted = new AcceptedLink(this.#context, connection, {
      objection: (hello) => this.#objection(hello),
      onAccepted: (link, hello) => this.#greeted(link, hello),
      onFailed: (link, reason, hello) => this.#notGreeted(link, reason, hello),
    });
    this.#greeting.add(accepted);
    return accepted.wire;
  }

  #objection(hello: Hello): Objection | undefined {
    const peer = this.#peer(hello.from);
    if (peer !== undefined) {
      if (peer.incarnation === 0 || peer.incarnation === hello.incarnation) return undefined;
      return otherIncarnation(hello.from, hello.name);
    }
    if (this.#handlers.isRemoved?.(hello.from) !== true) {
      if (hello.to !== this.#context.self.memberId) return undefined;
      this.#handlers.onStranger?.(hello.from, hello.address);
      return this.#peer(hello.from) !== undefined ? undefined : unknownSender(hello);
    }
    return {
      code: "removed",
      reason: `member ${hello.from.toString(16)} (${hello.name}) was removed from the cluster`,
    };
  }

  #notGreeted(accepted: AcceptedLink, reason: string, hello: Hello | undefined): void {
    this.#greeting.delete(accepted);
    const { throttledLog } = this.#context;
    const remote = accepted.link.remoteAddress;
    if (hello !== undefined) {
      const fields = { remote, peer: hello.from, name: hello.name, reason };
      throttledLog.log("warn", `refused ${hello.from}`, "peer's connection refused", fields);
    } else if (accepted.link.bytesReceived > 0) {
      throttledLog.log("warn", "no hello", "connection closed: it is no peer's", { remote, reason });
    }
  }

  #greeted(accepted: AcceptedLink, hello: Hello): EstablishedHandlers {
    this.#greeting.delete(accepted);
    switch (hello.purpose) {
      case "messages":
        return this.#acceptMessages(accepted, hello);
      case "snapshot":
        return this.#snapshots.accept(accepted, hello.from, {
          open: (message, fileBytes) => this.#handlers.openSnapshot(hello.from, message, fileBytes),
          onReceived: (message) => {
            if (!this.#closed) this.#handlers.onSnapshot(hello.from, message);
          },
        });
      case "request":
        return this.#exchanges.accept(accepted, hello, (asker, body) => this.#request(asker, body));
      default:
        throw unreachable(hello.purpose satisfies never);
    }
  }

  #request(asker: Asker, body: Uint8Array): Promise<Uint8Array> {
    const answer = this.#closed ? undefined : this.#handlers.onRequest?.(asker, body);
    return answer ?? Promise.reject(new BalsaError("closed", "no requests are answered here"));
  }

  #acceptMessages(accepted: AcceptedLink, { from, name, incarnation }: Hello): EstablishedHandlers {
    const { throttledLog } = this.#context;
    const inbound: Inbound = new Inbound(
      this.#context,
      accepted,
      { from, incarnation },
      {
        onMessages: (messages) => this.#handlers.onMessages(from, messages),
        onForward: ({ requestId, commands }) => this.#handlers.onForward(from, requestId, commands),
        onForwardAnswer: (answer) => this.#peer(from)?.forwardAnswered(answer),
        onEnd: (reason) => {
          throttledLog.log("warn", `ended ${from}`, "peer's connection ended", { peer: from, name, reason });
          this.#inbound.delete(from);
          this.#lostInbound(from, reason);
        },
      },
    );
    // The newer one wins: the peer has given the older one up, perhaps in an earlier life.
    const earlier = this.#inbound.get(from);
    this.#inbound.set(from, inbound);
    throttledLog.log("info", `accepted ${from}`, "peer's connection accepted", { peer: from, name });
    this.#peer(from)?.wake();
    if (earlier !== undefined) {
      earlier.close();
      this.#lostInbound(from, "the peer dialled again");
    }
    return inbound;
  }

  #lostInbound(id: number, reason: string): void {
    const peer = this.#peer(id);
    // An answer may have been on it.
    peer?.loseForwards();
    this.#down(id, reason);
    // If only the connection is gone, and not the process, the other one will tell.
    peer?.probe();
  }
}
