#!/usr/bin/env node
import { run } from "./run.js";
import { processOutput } from "./text-output.js";

process.exitCode = await run(process.argv.slice(2), processOutput);
