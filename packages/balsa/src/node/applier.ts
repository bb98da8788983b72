import { decodeCommand, isLibraryCommand } from "../codec/index.js";
import { BalsaError, type Entry, invariant, type StorageApply } from "../core/index.js";
import { type Command, machineFailed, type StateMachine } from "./state-machine.js";

/** What the applier tells the runtime. */
export interface ApplierHooks {
  /** Entries that are not the application's: membership changes and the library's own. Called in log order. */
  onLibraryEntry(entry: Entry): void;
  /** The application answered the entry; `result` is undefined for entries that are not the application's. */
  onApplied(index: number, term: number, result: Uint8Array | undefined): void;
  /** All entries of the message are applied. */
  onDone(message: StorageApply): void;
  /** The state machine failed: its state is unknown. */
  onFailure(cause: unknown): void;
}

type Task =
  | { readonly kind: "apply"; readonly messages: StorageApply[] }
  | { readonly kind: "restore"; readonly run: () => Promise<void> };

/**
 * Feeds the state machine: committed entries in log order, each once (F4), and snapshots to restore, one task at a time.
 * A synchronous state machine is applied to at once; one that gives promises is waited for here and nowhere else, and
 * gets all that came meanwhile in one batch: so it falls behind only if it is too slow for batches. How much may be
 * handed over and not applied is the core's limit.
 */
export class Applier {
  private readonly queue: Task[] = [];
  private busy = false;
  private stopped = false;
  private readonly stateMachine: StateMachine;
  private readonly hooks: ApplierHooks;

  constructor(stateMachine: StateMachine, hooks: ApplierHooks) {
    this.stateMachine = stateMachine;
    this.hooks = hooks;
  }

  apply(message: StorageApply): void {
    const last = this.queue.at(-1);
    if (last?.kind === "apply") last.messages.push(message);
    else this.queue.push({ kind: "apply", messages: [message] });
    this.work();
  }

  /** Runs `restore` when all that was handed over before is applied; what comes after waits for it. */
  restore(run: () => Promise<void>): void {
    this.queue.push({ kind: "restore", run });
    this.work();
  }

  /** Runs `work` between two batches, when all that was handed over before is applied. */
  between(work: () => void): void {
    this.restore(async () => work());
  }

  /** Nothing more is applied. */
  stop(): void {
    this.stopped = true;
    this.queue.length = 0;
  }

  private work(): void {
    while (!this.busy && !this.stopped) {
      const task = this.queue.shift();
      if (task === undefined) return;
      this.busy = true;
      const pending = task.kind === "apply" ? this.applyAll(task.messages) : task.run();
      if (pending === undefined) this.busy = false;
      else this.wait(pending);
    }
  }

  private wait(pending: Promise<void>): void {
    pending.then(
      () => {
        this.busy = false;
        this.work();
      },
      (cause: unknown) => {
        this.stopped = true;
        this.hooks.onFailure(cause);
      },
    );
  }

  private applyAll(messages: readonly StorageApply[]): Promise<void> | undefined {
    const [only] = messages;
    const isOne = only !== undefined && messages.length === 1;
    const entries = isOne ? only.entries : messages.flatMap((message) => message.entries);
    return this.applyEntries(entries, 0, () => {
      for (const message of messages) this.hooks.onDone(message);
    });
  }

  /** Applies the entries from position `from` on. undefined: done already. */
  private applyEntries(entries: readonly Entry[], from: number, done: () => void): Promise<void> | undefined {
    let at = from;
    while (at < entries.length) {
      const entry = entries[at];
      invariant(entry !== undefined, "applier: dense entries");
      if (!isApplications(entry)) {
        this.hooks.onLibraryEntry(entry);
        this.hooks.onApplied(entry.index, entry.term, undefined);
        at++;
        continue;
      }
      const start = at;
      while (at < entries.length && isApplications(entries[at] as Entry)) at++;
      const batch = entries.slice(start, at).map(commandOf);
      const results = this.callApply(batch);
      if (results instanceof Promise) {
        const resumeAt = at;
        return results.then((late) => {
          if (this.stopped) return undefined;
          this.answer(entries, start, late, batch);
          return this.applyEntries(entries, resumeAt, done);
        });
      }
      this.answer(entries, start, results, batch);
    }
    done();
    return undefined;
  }

  private callApply(batch: readonly Command[]): ReturnType<StateMachine["apply"]> {
    try {
      const results = this.stateMachine.apply(batch);
      if (!(results instanceof Promise)) return results;
      return results.catch((cause: unknown) => {
        throw machineFailed(`apply of ${indexes(batch)}`, cause);
      });
    } catch (cause) {
      throw machineFailed(`apply of ${indexes(batch)}`, cause);
    }
  }

  private answer(
    entries: readonly Entry[],
    start: number,
    results: readonly Uint8Array[],
    batch: readonly Command[],
  ): void {
    const count = batch.length;
    if (
      !Array.isArray(results) ||
      results.length !== count ||
      !results.every((result) => result instanceof Uint8Array)
    ) {
      const what = Array.isArray(results) ? `${results.length} results` : "no list of results";
      const reason = `apply must give a Uint8Array for each command; ${indexes(batch)}: ${what} for ${count}`;
      throw new BalsaError("state-machine-failed", `state machine: ${reason}`);
    }
    for (let i = 0; i < count; i++) {
      const entry = entries[start + i];
      invariant(entry !== undefined, "applier: an entry for each command");
      this.hooks.onApplied(entry.index, entry.term, results[i]);
    }
  }
}

/** Whether the entry carries a command of the application's; the empty entry of a new leader carries nothing. */
function isApplications({ type, data }: Entry): boolean {
  return type === "normal" && data.length > 0 && !isLibraryCommand(data);
}

function commandOf({ index, term, data }: Entry): Command {
  return { index, term, data: decodeCommand(data).payload };
}

function indexes(batch: readonly Command[]): string {
  const [first, last] = [batch[0], batch.at(-1)];
  return first === last ? `index ${first?.index}` : `indexes ${first?.index} to ${last?.index}`;
}
