import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { SeedResult, SeedTask, WorkerMessage } from "./seed-task.js";

/** The next task, or undefined when there is nothing more to do. */
export type TaskSource = () => SeedTask | undefined;

/**
 * A world lives for a third of a second, and nearly all of it dies young: with a young generation of this size half as much
 * of it is copied before (3.1 s of 24 s of CPU became 1.7).
 */
const YOUNG_GENERATION_MB = 96;

/** Runs tasks on worker threads, each one seed at a time, until there are no more; results come as they are done. */
export async function runOnWorkers(
  workers: number,
  next: TaskSource,
  take: (result: SeedResult) => void,
): Promise<void> {
  // Each core has a worker: helpers of the collector only take turns with them, and cost an eighth of all CPU.
  setFlagsFromString("--single-threaded-gc");
  await Promise.all(Array.from({ length: workers }, () => runOnWorker(next, take)));
}

function runOnWorker(next: TaskSource, take: (result: SeedResult) => void): Promise<void> {
  const first = next();
  if (first === undefined) return Promise.resolve();
  const worker = new Worker(new URL("seed-worker.js", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  return new Promise<void>((resolve, reject) => {
    const end = (failure: Error | undefined): void => {
      worker.terminate().then(() => (failure === undefined ? resolve() : reject(failure)), reject);
    };
    worker.on("error", (cause) => end(cause instanceof Error ? cause : new Error(String(cause))));
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "broken") {
        end(new Error(`seed ${message.task.seed} of profile ${message.task.profile}: ${message.reason}`));
        return;
      }
      take(message.result);
      const task = next();
      if (task === undefined) end(undefined);
      else worker.postMessage(task);
    });
    worker.postMessage(first);
  });
}
