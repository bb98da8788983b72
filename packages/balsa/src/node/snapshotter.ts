import { BalsaError, type SnapshotMeta } from "../core/index.js";
import type { Clock, Logger, Timer } from "../platform/index.js";
import type { DiskStorage } from "../storage/index.js";
import { type Configuration, encodeLibrarySection } from "./configuration.js";
import { SNAPSHOT_RETRY_MS } from "./limits.js";
import type { Settings } from "./options.js";
import { machineFailed, type StateMachine } from "./state-machine.js";

/** The state as of one applied index. */
export interface AppliedState {
  readonly index: number;
  readonly term: number;
  readonly configuration: Configuration;
}

export interface SnapshotterHooks {
  /** A snapshot is durable. */
  readonly onTaken: (index: number) => void;
  /** Has `consider` called between two batches, though nothing new was applied. */
  readonly askAgain: () => void;
}

/**
 * Takes snapshots of the state machine when the log has grown enough, and compacts the log behind them (§7), while
 * applying goes on.
 */
export class Snapshotter {
  private busy = false;
  private stopped = false;
  /** After a failure: not before the log has grown to this, or some time has gone by. */
  private retryAtLogBytes = 0;
  private retry: Timer | undefined;
  private readonly storage: DiskStorage;
  private readonly stateMachine: StateMachine;
  private readonly settings: Settings;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly hooks: SnapshotterHooks;

  constructor(
    storage: DiskStorage,
    stateMachine: StateMachine,
    settings: Settings,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    hooks: SnapshotterHooks,
  ) {
    this.storage = storage;
    this.stateMachine = stateMachine;
    this.settings = settings;
    this.clock = clock;
    this.logger = logger;
    this.hooks = hooks;
  }

  stop(): void {
    this.stopped = true;
    this.retry?.cancel();
  }

  /** What failed may succeed now: the disk has room again. */
  tryAgain(): void {
    this.retryAtLogBytes = 0;
  }

  /** To be called between two batches, when the state machine stands exactly at `state.index`. */
  consider(state: AppliedState): void {
    if (this.isDue(state.index)) this.take(state);
  }

  /** The same, whether or not one is due. */
  take(state: AppliedState): void {
    if (this.busy || this.stopped || state.index <= this.storage.snapshot().meta.index) return;
    this.busy = true;
    const startMs = this.clock.now();
    const meta: SnapshotMeta = { index: state.index, term: state.term, confState: state.configuration.confState };
    let pieces: Pieces;
    try {
      pieces = new Pieces(this.stateMachine.snapshot());
    } catch (cause) {
      this.notTaken(meta, startMs, machineFailed("snapshot", cause));
      return;
    }
    this.write(meta, encodeLibrarySection(state.configuration), pieces).then(
      () => {
        this.busy = false;
        // What was applied meanwhile may be enough for the next one, and nothing need come after it.
        if (!this.stopped) this.hooks.askAgain();
      },
      (cause: unknown) => this.notTaken(meta, startMs, cause),
    );
  }

  /** The log is all there still, so nothing is lost by it: also where the state machine threw. */
  private notTaken({ index }: SnapshotMeta, startMs: number, cause: unknown): void {
    this.busy = false;
    this.retryLater(this.clock.now() - startMs);
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.logger.log("error", "snapshot not taken; the log stays until one is", { index, reason });
  }

  /** When the log has grown by a quarter; or, for a log that grows no more, after four times as long as was in vain. */
  private retryLater(tookMs: number): void {
    this.retryAtLogBytes = this.storage.logBytes * 1.25;
    this.retry?.cancel();
    if (this.stopped) return;
    this.retry = this.clock.setTimer(Math.max(SNAPSHOT_RETRY_MS, 4 * tookMs), () => {
      this.tryAgain();
      this.hooks.askAgain();
    });
  }

  private isDue(index: number): boolean {
    const { logBytes } = this.storage;
    if (logBytes < this.retryAtLogBytes) return false;
    const entries = index - this.storage.snapshot().meta.index;
    return entries > 0 && (logBytes >= this.settings.snapshotLogBytes || entries >= this.settings.snapshotLogEntries);
  }

  private async write(meta: SnapshotMeta, library: Uint8Array, pieces: Pieces): Promise<void> {
    try {
      const writer = await this.storage.createSnapshot(meta, library);
      try {
        for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) {
          if (this.stopped) throw new BalsaError("closed", "the member closes");
          await writer.write(piece);
        }
        await writer.commit();
      } catch (cause) {
        await writer.abort();
        throw cause;
      }
    } finally {
      await pieces.end();
    }
    this.retryAtLogBytes = 0;
    if (this.stopped) return;
    // The tail that is kept lets a follower that is a little behind catch up by entries.
    const upTo = meta.index - this.settings.keepEntries;
    if (upTo >= this.storage.firstIndex()) this.storage.compact(upTo);
    this.hooks.onTaken(meta.index);
  }
}

/**
 * A snapshot's content, whose first piece is asked for at once: a generator runs none of its body before that, and one
 * that copies the state in its first lines would copy a later state than the one it was called for.
 */
class Pieces {
  private readonly iterator: Iterator<Uint8Array> | AsyncIterator<Uint8Array>;
  private first: ReturnType<Pieces["iterator"]["next"]> | undefined;

  constructor(content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
    this.iterator = Symbol.asyncIterator in content ? content[Symbol.asyncIterator]() : content[Symbol.iterator]();
    this.first = this.iterator.next();
    // A rejection is seen by whoever takes the piece; until then it is nobody's unhandled one.
    if (this.first instanceof Promise) this.first.catch(() => {});
  }

  async next(): Promise<Uint8Array | undefined> {
    const result = await (this.first ?? this.iterator.next());
    this.first = undefined;
    return result.done === true ? undefined : result.value;
  }
  /** Lets the state machine clean up, also where not all was taken. */
  async end(): Promise<void> {
    await this.iterator.return?.();
  }
}
