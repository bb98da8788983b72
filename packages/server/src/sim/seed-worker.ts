// Runs one seed after the other, as it is told: the file that each worker process of a run is started with.
import { runSeed } from "./run-seed.js";
import type { SeedTask, WorkerMessage } from "./seed-task.js";
import { loadWorkload } from "./workloads.js";

// Ctrl-C reaches every process of the command: the one that gives out the seeds decides what comes of it.
process.on("SIGINT", () => {});

process.on("message", (task: SeedTask) => {
  const answer = (message: WorkerMessage): void => void process.send?.(message);
  loadWorkload(task.workload)
    .then((workload) => runSeed(task, workload))
    .then(
      (result) => answer({ kind: "result", result }),
      (cause: unknown) => {
        const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
        answer({ kind: "broken", task, reason });
      },
    );
});
