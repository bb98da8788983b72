import { BalsaError } from "../core/index.js";
import { resultOf, Session, type SessionMember, withoutSession } from "../machine/index.js";
import type { Applied, CallOptions, RaftNode, StateMachine } from "../node/index.js";
import type { Prng, World } from "../sim/index.js";
import type { SimulatedCluster, SimulatedMember } from "./cluster.js";
import type { SessionRecord } from "./session-record.js";
import type { SessionSettings } from "./session-settings.js";
import { checksumOf, tagCommand } from "./watched-machine.js";
import { isSurelyNotApplied, proposeWatched } from "./watched-proposal.js";

/** How long a client waits for a session. With the longest call that follows it: within what healing allows. */
const OPEN_TIMEOUT_MS = 1_000;
/** By so much a client waits longer than it gave the member to answer, whose time is in ticks. */
const GRACE_MS = 300;

/** A request that is held up arrives within this; most clients have turned to another member by then. */
const LATE_MS = 2_000;
/** An answer that was lost is missed within this. */
const LOSS_NOTICED_MS = 1_000;

/** A client's session, and how much it has been used. */
interface OpenSession {
  readonly session: Promise<Session>;
  callsLeft: number;
}

/** Clients' commands where the state machine has sessions: under one, tried again and again, or without. */
export class SessionClients<Machine extends StateMachine> {
  readonly #cluster: SimulatedCluster<Machine>;
  readonly #settings: SessionSettings;
  readonly #record: SessionRecord;
  readonly #members: readonly RemoteMember<Machine>[];
  readonly #sessions = new Map<number, OpenSession>();
  #calls = 0;
  #opened = 0;

  constructor(cluster: SimulatedCluster<Machine>, settings: SessionSettings, record: SessionRecord) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#record = record;
    const line = new ClientLine(cluster.world.prng.stream("clients"), settings);
    this.#members = cluster.members.map((member) => new RemoteMember(cluster, member, line));
  }

  /** Whether the client goes by sessions. Client 0 makes the last calls of all, which must be answered. */
  has(client: number): boolean {
    return client >= 1 && client <= this.#settings.clients;
  }

  lifeEnded({ number }: SimulatedMember<Machine>): void {
    this.#members[number]?.lifeEnded();
  }

  /**
   * Under the client's session, at whichever member answers.
   * @param numbered is told the number in the sessions' journal
   */
  async propose(client: number, data: Uint8Array, numbered: (commandId: number) => void): Promise<Uint8Array> {
    const { timeoutsMs } = this.#settings;
    const timeoutMs = timeoutsMs[this.#calls % timeoutsMs.length];
    this.#calls += 1;
    const open = this.#sessionOf(client);
    open.callsLeft -= 1;
    const isLast = open.callsLeft <= 0;
    if (isLast) this.#leave(client, open);
    const session = await this.#opening(client, open);
    const applied = await this.#watched(data, numbered, async (tagged) => {
      try {
        return await session.propose(tagged, { timeoutMs });
      } catch (error) {
        if (error instanceof BalsaError && error.code === "session-expired") this.#leave(client, open);
        throw error;
      }
    });
    // What others of its calls are still under way finds the session gone.
    if (isLast && session.id % 2 === 0) void session.close({ timeoutMs });
    return applied.result;
  }

  /** Without a session: it takes effect as often as it is in the log. */
  async proposePlainly(
    raft: RaftNode,
    data: Uint8Array,
    options: CallOptions,
    numbered: (commandId: number) => void,
  ): Promise<Uint8Array> {
    const applied = await this.#watched(data, numbered, async (tagged) => {
      const { index, term, result } = await proposeWatched(this.#cluster, raft, withoutSession(tagged), options);
      return { index, term, result: resultOf(result) };
    });
    return applied.result;
  }

  /** Whatever is tried for it, it is one command: with a number, and held against what ran. */
  async #watched(
    data: Uint8Array,
    numbered: (commandId: number) => void,
    propose: (tagged: Uint8Array) => Promise<Applied>,
  ): Promise<Applied> {
    const { journal } = this.#record;
    const commandId = journal.propose();
    numbered(commandId);
    try {
      const applied = await propose(tagCommand(commandId, data));
      const { index, term, result } = applied;
      this.#cluster.check(() => journal.acknowledge(commandId, index, term, checksumOf(result)));
      return applied;
    } catch (error) {
      if (isSurelyNotApplied(error)) this.#cluster.check(() => journal.refuse(commandId));
      if (error instanceof BalsaError && error.code === "invariant") {
        this.#cluster.violate("a session's command takes effect once", error.message);
      }
      throw error;
    }
  }

  #sessionOf(client: number): OpenSession {
    const known = this.#sessions.get(client);
    if (known !== undefined) return known;
    const first = this.#opened % this.#members.length;
    this.#opened += 1;
    const members = [...this.#members.slice(first), ...this.#members.slice(0, first)];
    const { attemptMs, callsEach } = this.#settings;
    const open = { session: Session.open(members, { attemptMs, timeoutMs: OPEN_TIMEOUT_MS }), callsLeft: callsEach };
    this.#sessions.set(client, open);
    return open;
  }

  /** An operation whose session did not open had no effect. */
  async #opening(client: number, open: OpenSession): Promise<Session> {
    try {
      return await open.session;
    } catch (error) {
      this.#leave(client, open);
      if (!(error instanceof BalsaError)) throw error;
      throw new BalsaError(error.code, error.message, { cause: error });
    }
  }

  #leave(client: number, open: OpenSession): void {
    if (this.#sessions.get(client) === open) this.#sessions.delete(client);
  }
}

/** What the way between clients and members does to requests and answers. */
class ClientLine {
  readonly #prng: Prng;
  readonly #settings: SessionSettings;

  constructor(prng: Prng, settings: SessionSettings) {
    this.#prng = prng;
    this.#settings = settings;
  }

  /** How long a request is held up. undefined: not at all. */
  holdUp(): number | undefined {
    return this.#prng.chance(this.#settings.lateRequests) ? this.#prng.below(LATE_MS) : undefined;
  }

  /** After how long it is noticed that an answer was lost. undefined: it arrives. */
  loss(): number | undefined {
    return this.#prng.chance(this.#settings.lostAnswers) ? this.#prng.below(LOSS_NOTICED_MS) : undefined;
  }
}

/** A member as a client elsewhere has it: when it dies, nobody hears what became of what it was asked. */
class RemoteMember<Machine extends StateMachine> implements SessionMember {
  readonly clock: SessionMember["clock"];
  readonly #cluster: SimulatedCluster<Machine>;
  readonly #member: SimulatedMember<Machine>;
  readonly #line: ClientLine;
  /** What it was asked and has not answered: called if it never will. */
  readonly #waiting = new Set<(reason: string) => void>();

  constructor(cluster: SimulatedCluster<Machine>, member: SimulatedMember<Machine>, line: ClientLine) {
    this.#cluster = cluster;
    this.#member = member;
    this.#line = line;
    this.clock = outsideClock(cluster.world);
  }

  lifeEnded(): void {
    for (const lose of this.#waiting) lose("the member is gone");
  }

  propose(data: Uint8Array, options: CallOptions = {}): Promise<Applied> {
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        if (!this.#waiting.delete(lose)) return;
        timer.cancel();
        how();
      };
      const lose = (reason: string): void => {
        settle(() => reject(new BalsaError("timeout", reason, { applied: "unknown" })));
      };
      this.#waiting.add(lose);
      // The member tells more than this, but may stand still.
      const timer = this.clock.setTimer((options.timeoutMs ?? 0) + GRACE_MS, () => lose("nothing is heard"));
      const arrive = (): void => {
        this.#ask(data, options).then(
          (applied) => {
            const noticedMs = this.#line.loss();
            if (noticedMs === undefined) settle(() => resolve(applied));
            else this.clock.setTimer(noticedMs, () => lose("the answer was lost"));
          },
          (error: unknown) => settle(() => reject(error)),
        );
      };
      const lateMs = this.#line.holdUp();
      if (lateMs === undefined) arrive();
      else this.clock.setTimer(lateMs, arrive);
    });
  }

  /** It is whoever is up now that is asked, though its client may have given up meanwhile. */
  async #ask(data: Uint8Array, options: CallOptions): Promise<Applied> {
    const raft = this.#member.node.program?.raft;
    if (raft === undefined) throw new BalsaError("closed", "the member is down", { retryable: true });
    return proposeWatched(this.#cluster, raft, data, options);
  }
}

/** The clock of whoever is no member: it never stands still, and shows the world's own time. */
function outsideClock(world: World): SessionMember["clock"] {
  return {
    now: () => world.nowMs,
    setTimer: (delayMs, fire) => {
      let isCancelled = false;
      world.after(delayMs, "a client's timer", () => {
        if (!isCancelled) fire();
      });
      return {
        cancel: () => {
          isCancelled = true;
        },
      };
    },
  };
}
