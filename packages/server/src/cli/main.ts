#!/usr/bin/env node
import { run } from "./run.js";
import { processOutput } from "./text-output.js";

// Whoever reads it, such as `head`, has seen enough: no error of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

process.exitCode = await run(process.argv.slice(2), processOutput);
