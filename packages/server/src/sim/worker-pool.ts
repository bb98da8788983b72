import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { commandFor } from "./run-summary.js";
import type { SeedResult, SeedTask, WorkerMessage } from "./seed-task.js";

const SEED_WORKER = fileURLToPath(new URL("seed-worker.js", import.meta.url));

/**
 * Each core has a worker, so helpers of the garbage collector would only take turns with them: an eighth of all CPU. And a
 * world lives for a quarter of a second, nearly all of it dies young: so the young generation is made for several worlds,
 * and the old one so large from the start that it is seldom gone through: builds in turns, 80 seeds, a tenth faster than
 * with 32 MB and V8's own beginnings. A worker takes some 300 MB; twice the size, 430 MB, gave 3 % more, within the noise.
 * Processes, since threads can't have flags of their own.
 */
const WORKER_FLAGS = [
  "--single-threaded-gc",
  "--max-semi-space-size=64",
  "--min-semi-space-size=64",
  "--initial-old-space-size=400",
];

/** A worker died over a seed, or what it ran threw outside of the simulated members: the workload's own code, as a rule. */
export class SeedNotRun extends Error {
  /** What was thrown, with its stack; or how the worker ended. */
  readonly reason: string;

  constructor(task: SeedTask, reason: string) {
    super(`seed ${task.seed} of profile ${task.profile} could not be run; again: ${commandFor(task)}`);
    this.name = "SeedNotRun";
    this.reason = reason;
  }
}

/**
 * Runs the tasks that `next` gives in worker processes, each one seed at a time, until there are no more; results come as they are done.
 * Where a worker dies or a seed can't be run, the others end with the seeds that they are at.
 * @throws SeedNotRun the first of these failures
 */
export async function runOnWorkers(
  workers: number,
  next: () => SeedTask | undefined,
  take: (result: SeedResult) => void,
): Promise<void> {
  let failure: { readonly cause: unknown } | undefined;
  const nextUnlessFailed = (): SeedTask | undefined => (failure === undefined ? next() : undefined);
  const run = (): Promise<void> =>
    runOnWorker(nextUnlessFailed, take).catch((cause: unknown) => void (failure ??= { cause }));
  await Promise.all(Array.from({ length: workers }, run));
  if (failure !== undefined) throw failure.cause;
}

function runOnWorker(next: () => SeedTask | undefined, take: (result: SeedResult) => void): Promise<void> {
  const first = next();
  if (first === undefined) return Promise.resolve();
  const worker = fork(SEED_WORKER, { execArgv: WORKER_FLAGS, serialization: "advanced" });
  return new Promise<void>((resolve, reject) => {
    let current = first;
    let failure: Error | undefined;
    let isDone = false;
    const end = (cause?: Error): void => {
      failure ??= cause;
      isDone = true;
      // Without a channel to its parent it has nothing left to do.
      if (worker.connected) worker.disconnect();
    };
    worker.on("error", (cause) => {
      end(cause);
      // One that did not even start has no exit.
      reject(cause);
    });
    worker.on("exit", (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      if (!isDone) failure ??= new SeedNotRun(current, `its worker ended by itself: ${how}`);
      if (failure === undefined) resolve();
      else reject(failure);
    });
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "broken") {
        end(new SeedNotRun(message.task, message.reason));
        return;
      }
      take(message.result);
      const task = next();
      if (task === undefined) {
        end();
        return;
      }
      current = task;
      worker.send(task);
    });
    worker.send(first);
  });
}
