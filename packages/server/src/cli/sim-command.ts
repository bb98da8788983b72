import { profiles } from "balsa/trial";
import { type Command, InvalidArgumentError, Option } from "commander";
import { workloadDescriptions } from "../sim/workloads.js";
import { integer } from "./arguments.js";
import { EXIT, exitCodeOf, toldOf } from "./exit-code.js";
import { runSim } from "./sim.js";
import type { SimFlags } from "./sim-flags.js";
import type { TextOutput } from "./text-output.js";

export function addSim(program: Command, io: TextOutput, done: (exitCode: number) => void): void {
  const names = [...profiles.values()].map(({ name, describe }) => `  ${name.padEnd(9)} ${describe}`);
  const workloads = [...workloadDescriptions].map(([name, describe]) => `  ${name.padEnd(9)} ${describe}`);
  program
    .command("sim")
    .description("run simulated clusters through faults drawn from seeds, and check everything they do")
    .addOption(
      new Option("--seed <seed>", "this one alone").conflicts(["seeds", "minutes", "stop", "workers", "scenario"]),
    )
    .option("--seeds <a..b>", "these", range)
    .option("--minutes <n>", "as many as there is time for (default: 1, unless --seeds)", minutes)
    .option(
      "--profile <names>",
      "what to draw; several, with commas between them, or all: they share the time",
      "default",
    )
    .option("--workload <name>", "what the clients do: a name, or a module whose default export it is", "key-value")
    .addOption(
      new Option("--scenario <file>", "run the scenario in this file").conflicts([
        "seeds",
        "minutes",
        "stop",
        "workers",
        "profile",
      ]),
    )
    .option("--trace <file>", "with --seed or --scenario: write what happened, a line an event")
    .option("--page <file>", "with them: draw the run as an HTML page, to be stepped through")
    .option(
      "--page-range <a..b>",
      "with --page: whose messages to draw, ms (default: all, or as many as there is room for)",
      range,
    )
    .option("--save <file>", "with them: write the scenario")
    .option("--shrink <file>", "with them: write the smallest scenario found that breaks the same rule; Ctrl-C will do")
    .option("--stop", "end at the first violation", false)
    .option("--workers <n>", "processes (default: one a core)", integer(1, 256))
    .option("--json", "nothing but one line of JSON at the end", false)
    .addHelpText(
      "after",
      `
Profiles:
${names.join("\n")}

Workloads:
${workloads.join("\n")}

A seed decides everything: the same seed gives the same run, byte for byte, on any machine. Without --seed or --seeds
they are drawn afresh; Ctrl-C ends with what there is. Of a seed that breaks a rule the command is printed that runs it
again. The exit code is 0 if no rule is broken, 1 if one is, 2 if the command is not called rightly, 3 if a run breaks off
(the workload's own code threw, a file could not be written), 130 if it is interrupted.

Examples:
  balsa sim --minutes 10
  balsa sim --seeds 1..100 --profile disks
  balsa sim --workload etcd --profile snapshots,rot,members
  balsa sim --seed 7 --trace trace.txt --page run.html
  balsa sim --seed 7 --shrink smaller.json
  balsa sim --scenario smaller.json --trace trace.txt`,
    )
    .action(async (flags: SimFlags) => done(await runOrTell(flags, io)));
}

/** What breaks a run off is no broken rule, and has an exit code of its own. */
async function runOrTell(flags: SimFlags, io: TextOutput): Promise<number> {
  try {
    return await runSim(flags, io);
  } catch (cause) {
    if (exitCodeOf(cause) === EXIT.usage) throw cause;
    io.error(`balsa: ${toldOf(cause)}\n`);
    return EXIT.brokenOff;
  }
}

function range(text: string): readonly [number, number] {
  const match = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text.trim());
  if (match === null || Number(match[1]) > Number(match[2])) throw new InvalidArgumentError("It has the form A..B.");
  return [Number(match[1]), Number(match[2])];
}

function minutes(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100_000)) throw new InvalidArgumentError("It must be above 0.");
  return value;
}
