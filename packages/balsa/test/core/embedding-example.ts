import type { Entry, Message } from "balsa/core";
import { decodeConfChange, EMPTY_CONF_STATE, MemoryStorage, RawNode } from "balsa/core";

/** One replica of a map from strings to strings: the core, your storage, your network, your state machine. */
export class Replica {
  readonly node: RawNode;
  readonly values = new Map<string, string>();
  /** Stable storage. Here it is memory; yours answers the same questions from a disk. */
  readonly #storage = new MemoryStorage();
  readonly #send: (message: Message) => void;

  constructor(id: number, voters: readonly number[], send: (message: Message) => void) {
    this.#send = send;
    // A new group begins with a snapshot that holds its configuration and nothing else, the same on every member. Who
    // reopens what an earlier life has stored does nothing of the sort.
    const confState = { ...EMPTY_CONF_STATE, voters };
    this.#storage.applySnapshot({ meta: { index: 1, term: 1, confState }, data: new Uint8Array(0) });
    this.node = new RawNode({
      id,
      storage: this.#storage,
      electionTicks: 10,
      heartbeatTicks: 1,
      random: (bound) => Math.floor(Math.random() * bound),
      preVote: true,
      checkQuorum: true,
    });
  }

  /** From your timer, ten times a second or so. */
  tick(): void {
    this.node.tick();
    this.#work();
  }

  /** From your network. */
  receive(message: Message): void {
    this.node.step(message);
    this.#work();
  }

  /** From your clients. The command takes effect when, and if, it is applied. */
  set(key: string, value: string): boolean {
    const outcome = this.node.propose(new TextEncoder().encode(JSON.stringify([key, value])));
    this.#work();
    return outcome.kind !== "dropped";
  }

  #work(): void {
    while (this.node.hasReady()) {
      const ready = this.node.ready();
      // 1. Store, and sync if it says so, before anything is sent: a vote or an answer is a promise.
      if (ready.snapshot !== undefined) {
        this.#storage.applySnapshot(ready.snapshot);
        this.#restore(ready.snapshot.data);
      }
      this.#storage.append(ready.entries);
      if (ready.hardState !== undefined) this.#storage.setHardState(ready.hardState);
      // 2. Send.
      for (const message of ready.messages) this.#send(message);
      // 3. Apply.
      for (const entry of ready.committedEntries) this.#apply(entry);
      // 4. Say so.
      this.node.advance();
    }
  }

  #apply(entry: Entry): void {
    if (entry.type !== "normal") {
      const confState = this.node.applyConfChange(decodeConfChange(entry), entry.index);
      // The newest snapshot should know of the newest members, or it could not be sent to them.
      this.#storage.createSnapshot(entry.index, confState, this.#state());
    } else if (entry.data.length > 0) {
      const [key, value] = JSON.parse(new TextDecoder().decode(entry.data)) as [string, string];
      this.values.set(key, value);
    }
  }

  #state(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify([...this.values]));
  }

  #restore(state: Uint8Array): void {
    this.values.clear();
    const entries = JSON.parse(new TextDecoder().decode(state)) as [string, string][];
    for (const [key, value] of entries) this.values.set(key, value);
  }
}
