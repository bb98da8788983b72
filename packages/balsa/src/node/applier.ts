import { decodeCommand } from "../codec/index.js";
import { type Entry, invariant, type StorageApply } from "../core/index.js";
import type { Command, StateMachine } from "./state-machine.js";

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
  | { readonly kind: "apply"; readonly message: StorageApply }
  | { readonly kind: "restore"; readonly run: () => Promise<void> };

/**
 * Feeds the state machine: committed entries in log order, each once (F4), and snapshots to restore, one task at a time.
 * A synchronous state machine is applied to at once; one that gives promises is waited for here and nowhere else.
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
    this.queue.push({ kind: "apply", message });
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
      const pending = task.kind === "apply" ? this.applyEntries(task.message, 0) : task.run();
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

  /** Applies the entries from position `from` on. undefined: done already. */
  private applyEntries(message: StorageApply, from: number): Promise<void> | undefined {
    const { entries } = message;
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
      const batch: Command[] = [];
      const start = at;
      for (; at < entries.length; at++) {
        const next = entries[at];
        if (next === undefined || !isApplications(next)) break;
        batch.push({ index: next.index, term: next.term, data: decodeCommand(next.data).payload });
      }
      const results = this.stateMachine.apply(batch);
      if (results instanceof Promise) {
        const resumeAt = at;
        return results.then((late) => {
          if (this.stopped) return undefined;
          this.answer(entries, start, late, batch.length);
          return this.applyEntries(message, resumeAt);
        });
      }
      this.answer(entries, start, results, batch.length);
    }
    this.hooks.onDone(message);
    return undefined;
  }

  private answer(entries: readonly Entry[], start: number, results: readonly Uint8Array[], count: number): void {
    invariant(results.length === count, "state machine: apply must give one result for each command");
    for (let i = 0; i < count; i++) {
      const entry = entries[start + i];
      const result = results[i];
      invariant(entry !== undefined && result !== undefined, "state machine: every result is bytes");
      this.hooks.onApplied(entry.index, entry.term, result);
    }
  }
}

/** Whether the entry carries a command of the application's; the empty entry of a new leader carries nothing. */
function isApplications(entry: Entry): boolean {
  return entry.type === "normal" && entry.data.length > 0 && decodeCommand(entry.data).kind === "application";
}
