import { CommanderError } from "commander";
import { EXIT, exitCodeOf, toldOf } from "./exit-code.js";
import { buildProgram } from "./program.js";
import type { TextOutput } from "./text-output.js";

/** Carries out a command line; gives the exit code. */
export async function run(args: readonly string[], io: TextOutput): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(io, (code) => {
    exitCode = code;
  });
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (cause) {
    // Commander has said what there is to say.
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? EXIT.ok : EXIT.usage;
    io.error(`balsa: ${toldOf(cause)}\n`);
    return exitCodeOf(cause);
  }
}
