import type { Etcd3 } from "etcd3";

/**
 * Clients that write without a pause, each key once and never again: what was acknowledged must be there, at version 1;
 * what failed may be there or not, at version 1 too.
 */
export class Writers {
  readonly acknowledged: Set<string> = new Set();
  readonly attempted: Set<string> = new Set();
  private readonly running: Promise<void>[];
  private stopped = false;
  private waiters: { readonly startedAfterMs: number; readonly resolve: (ackedMs: number) => void }[] = [];

  constructor(clients: readonly Etcd3[], writersEach: number, prefix: string) {
    this.running = clients.flatMap((client, c) =>
      Array.from({ length: writersEach }, (_, w) => this.write(client, `${prefix}/${c}.${w}`)),
    );
  }

  /** When the first write that begins from now on is acknowledged, in ms of performance.now(). */
  nextAcknowledgement(): Promise<number> {
    const startedAfterMs = performance.now();
    return new Promise((resolve) => this.waiters.push({ startedAfterMs, resolve }));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async write(client: Etcd3, prefix: string): Promise<void> {
    for (let n = 0; !this.stopped; n++) {
      const key = `${prefix}/${n}`;
      const startedMs = performance.now();
      this.attempted.add(key);
      try {
        await client.put(key).value(key);
        this.acknowledged.add(key);
        this.tell(startedMs);
      } catch {
        // Its outcome is unknown. A breath, so that a dead member's refusals don't fill the processor.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  private tell(startedMs: number): void {
    const nowMs = performance.now();
    const due = this.waiters.filter((waiter) => startedMs >= waiter.startedAfterMs);
    if (due.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => startedMs < waiter.startedAfterMs);
    for (const waiter of due) waiter.resolve(nowMs);
  }
}

export interface Verdict {
  readonly lost: readonly string[];
  /** Keys that were written more than once, or hold something else than what was written. */
  readonly wrong: readonly string[];
  readonly found: number;
}

/** Compares what is stored with what was acknowledged, by linearizable reads. */
export async function verify(client: Etcd3, prefix: string, writers: Writers): Promise<Verdict> {
  const wrong: string[] = [];
  const seen = new Set<string>();
  const { kvs } = await client.getAll().prefix(prefix).exec();
  for (const kv of kvs) {
    const key = kv.key.toString();
    seen.add(key);
    const known = writers.attempted.has(key);
    if (!known || Number(kv.version) !== 1 || kv.value.toString() !== key) wrong.push(`${key} version ${kv.version}`);
  }
  const lost = [...writers.acknowledged].filter((key) => !seen.has(key));
  return { lost, wrong, found: seen.size };
}
