import { Worker } from "node:worker_threads";
import type { SeedResult, SeedTask, WorkerMessage } from "./seed-task.js";

/** The next task, or undefined when there is nothing more to do. */
export type TaskSource = () => SeedTask | undefined;

/** Runs tasks on worker threads, each one seed at a time, until there are no more; results come as they are done. */
export async function runOnWorkers(
  workers: number,
  next: TaskSource,
  take: (result: SeedResult) => void,
): Promise<void> {
  await Promise.all(Array.from({ length: workers }, () => runOnWorker(next, take)));
}

function runOnWorker(next: TaskSource, take: (result: SeedResult) => void): Promise<void> {
  const first = next();
  if (first === undefined) return Promise.resolve();
  const worker = new Worker(new URL("seed-worker.js", import.meta.url));
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
