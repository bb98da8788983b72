import { BalsaError } from "../core/index.js";
import { type History, HistoryRecorder, type Model } from "../linearizability/index.js";
import type { RaftNode, StateMachine } from "../node/index.js";
import type { MemberLife, SimulatedCluster, SimulatedMember } from "./cluster.js";
import type { OperationStep } from "./scenario.js";
import { SessionClients } from "./session-clients.js";
import type { SessionSettings } from "./session-settings.js";
import { proposeWatched } from "./watched-proposal.js";
import type { MemberCalls, Workload } from "./workload.js";

/** How long a call of a member may take. */
const CALL_TIMEOUT_MS = 2_000;
/** A client asks so many members, one after the other, before it gives an operation up. */
const ATTEMPTS_MAX = 3;

/** An operation, and how it ended. */
export interface CalledOperation<Input = unknown> {
  readonly input: Input;
  readonly outcome: "completed" | "failed" | "unknown" | undefined;
}

interface Pending<Input> extends CalledOperation<Input> {
  /** In the history. */
  readonly id: number;
  readonly client: number;
  /** Whom it asks. */
  member: number;
  attempts: number;
  outcome: CalledOperation["outcome"];
}

export interface ClientCounts {
  operations: number;
  completed: number;
  failed: number;
  unknown: number;
}

/** Calls members as a scenario says, and writes down what it sees. Clients are outside of the members, and never fail. */
export class Clients<Machine extends StateMachine, State, Input, Output> {
  readonly counts: ClientCounts = { operations: 0, completed: 0, failed: 0, unknown: 0 };
  readonly #cluster: SimulatedCluster<Machine>;
  readonly #workload: Workload<Machine, State, Input, Output>;
  readonly #recorder = new HistoryRecorder<Input, Output>();
  readonly #model: Model<State, Input, Output>;
  /** By the member that was asked. */
  readonly #pending: Set<Pending<Input>>[];
  /** Those whose session asks on, whichever member dies. */
  readonly #inSessions = new Set<Pending<Input>>();
  readonly #sessions: SessionClients<Machine> | undefined;
  /** What each command was proposed for, by its number in the journal. */
  readonly #operationIds = new Map<number, number>();

  constructor(
    cluster: SimulatedCluster<Machine>,
    workload: Workload<Machine, State, Input, Output>,
    sessions: SessionSettings | undefined,
  ) {
    this.#cluster = cluster;
    this.#workload = workload;
    this.#model = workload.model;
    this.#pending = cluster.members.map(() => new Set<Pending<Input>>());
    if (sessions !== undefined && cluster.sessions !== undefined) {
      this.#sessions = new SessionClients(cluster, sessions, cluster.sessions);
    }
  }

  get history(): History<Input, Output> {
    return this.#recorder.history();
  }

  /** The operations of the history that were applied, in the log's order. */
  get appliedOrder(): readonly number[] {
    const { journal, sessions } = this.#cluster;
    const commands = (sessions?.journal ?? journal).appliedOrder;
    return commands.map((commandId) => this.#operationIds.get(commandId)).filter((id) => id !== undefined);
  }

  /** Whether any operation waits for its answer. */
  get isBusy(): boolean {
    return this.#inSessions.size > 0 || this.#pending.some((pending) => pending.size > 0);
  }

  call(step: Pick<OperationStep, "client" | "member" | "input">): CalledOperation<Input> {
    const { client, member } = step;
    const input = this.#resolve(step.input as Input, member);
    const id = this.#recorder.invoke(`client ${client}`, input, this.#cluster.world.nowMs);
    this.counts.operations += 1;
    const operation: Pending<Input> = { id, client, input, member, attempts: 0, outcome: undefined };
    this.#attempt(operation);
    return operation;
  }

  /** A life has ended: its connections are closed, and nobody hears what became of what it was asked. */
  lifeEnded(member: SimulatedMember<Machine>): void {
    this.#sessions?.lifeEnded(member);
    const pending = this.#pending[member.number];
    if (pending === undefined) return;
    for (const operation of [...pending]) this.#settleUnknown(operation);
  }

  /** What is asked in the end: the same at every attempt, so that it is one operation. */
  #resolve(input: Input, member: number): Input {
    const life = this.#firstUp(member)?.node.program;
    return life === undefined ? input : (this.#workload.resolve?.(input, life.machine) ?? input);
  }

  #attempt(operation: Pending<Input>): void {
    operation.attempts += 1;
    const member = this.#firstUp(operation.member);
    const life = member?.node.program;
    if (member === undefined || life?.raft === undefined) {
      this.#settleFailed(operation);
      return;
    }
    operation.member = member.number;
    const pending = this.#pending[member.number] as Set<Pending<Input>>;
    pending.add(operation);
    const calls = this.#callsOf(operation, life, life.raft);
    let answer: Promise<Output>;
    try {
      answer = this.#workload.call(calls, operation.input);
    } catch (error) {
      answer = Promise.reject(error);
    }
    answer.then(
      (output) => {
        if (operation.outcome === undefined) this.#settleCompleted(operation, output);
      },
      (error: unknown) => {
        if (operation.outcome !== undefined) return;
        pending.delete(operation);
        this.#inSessions.delete(operation);
        this.#failed(operation, error);
      },
    );
  }

  #failed(operation: Pending<Input>, error: unknown): void {
    if (!(error instanceof BalsaError)) {
      this.#cluster.violate("nothing out of nowhere", `an operation failed: ${String(error)}`, { thrown: error });
      this.#settleUnknown(operation);
      return;
    }
    if (error.applied === "unknown") this.#settleUnknown(operation);
    else if (operation.attempts < ATTEMPTS_MAX && error.retryable) {
      // Surely without effect: the same operation is asked of the next.
      operation.member = (operation.member + 1) % this.#cluster.members.length;
      this.#attempt(operation);
    } else this.#settleFailed(operation);
  }

  #callsOf(operation: Pending<Input>, life: MemberLife<Machine>, raft: RaftNode): MemberCalls<Machine> {
    const options = { timeoutMs: CALL_TIMEOUT_MS };
    const sessions = this.#sessions;
    return {
      machine: life.machine,
      propose: async (data) => {
        const numbered = (commandId: number): void => void this.#operationIds.set(commandId, operation.id);
        if (sessions === undefined) return (await proposeWatched(this.#cluster, raft, data, options, numbered)).result;
        if (!sessions.has(operation.client)) return sessions.proposePlainly(raft, data, options, numbered);
        this.#pending[operation.member]?.delete(operation);
        this.#inSessions.add(operation);
        // It is the session that tries again, for as long as there is time.
        operation.attempts = ATTEMPTS_MAX;
        return sessions.propose(operation.client, data, numbered);
      },
      read: async () => {
        await raft.read(options);
      },
    };
  }

  /** The member, or the next one that is up. */
  #firstUp(number: number): SimulatedMember<Machine> | undefined {
    const { members } = this.#cluster;
    for (let i = 0; i < members.length; i += 1) {
      const member = members[(number + i) % members.length];
      if (member?.node.program?.raft !== undefined) return member;
    }
    return undefined;
  }

  #settleCompleted(operation: Pending<Input>, output: Output): void {
    this.#settle(operation, "completed");
    this.#recorder.complete(operation.id, output, this.#cluster.world.nowMs);
  }

  #settleFailed(operation: Pending<Input>): void {
    this.#settle(operation, "failed");
    this.#recorder.fail(operation.id, this.#cluster.world.nowMs);
  }

  /** A read has no effect, whatever became of it. */
  #settleUnknown(operation: Pending<Input>): void {
    if (this.#model.isReadOnly?.(operation.input) === true) {
      this.#settleFailed(operation);
      return;
    }
    this.#settle(operation, "unknown");
    this.#recorder.lose(operation.id, this.#cluster.world.nowMs);
  }

  #settle(operation: Pending<Input>, outcome: "completed" | "failed" | "unknown"): void {
    operation.outcome = outcome;
    this.counts[outcome] += 1;
    this.#pending[operation.member]?.delete(operation);
    this.#inSessions.delete(operation);
  }
}
