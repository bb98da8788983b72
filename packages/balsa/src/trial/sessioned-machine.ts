import { type SessionedStateMachine, withSessions } from "../machine/index.js";
import type { Command, StateMachine } from "../node/index.js";
import type { SessionRecord } from "./session-record.js";
import type { SessionSettings } from "./session-settings.js";
import { WatchedMachine } from "./watched-machine.js";

/** Results of any length: how long they are is the workload's affair. */
const RESULT_BYTES_MAX = 1024 * 1024;

/** The user's state machine with sessions around it, watched on both sides of them. */
export class SessionedMachine implements StateMachine {
  readonly #member: string;
  readonly #record: SessionRecord;
  readonly #sessions: SessionedStateMachine;
  /** Indexes of the commands of the present batch that got through. */
  readonly #ran = new Set<number>();

  constructor(member: string, machine: StateMachine, settings: SessionSettings, record: SessionRecord) {
    this.#member = member;
    this.#record = record;
    const within = new WatchedMachine(member, machine, record.journal, () => undefined);
    const { sessionsMax, resultsMax } = settings;
    const noting: StateMachine = {
      apply: (batch) => {
        for (const { index } of batch) this.#ran.add(index);
        return within.apply(batch);
      },
      snapshot: () => within.snapshot(),
      restore: (content) => within.restore(content),
    };
    this.#sessions = withSessions(noting, { sessionsMax, resultsMax, resultBytesMax: RESULT_BYTES_MAX });
  }

  apply(batch: readonly Command[]): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    const answers = this.#sessions.apply(batch);
    if (answers instanceof Promise) return answers.then((late) => this.#applied(batch, late));
    return this.#applied(batch, answers);
  }

  snapshot(): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
    return this.#sessions.snapshot();
  }

  restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#sessions.restore(content);
  }

  #applied(batch: readonly Command[], answers: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const [at, { index, data }] of batch.entries()) {
      const answer = answers[at] ?? new Uint8Array(0);
      this.#record.apply(this.#member, { index, data, ran: this.#ran.has(index), answer });
    }
    this.#ran.clear();
    return answers;
  }
}
