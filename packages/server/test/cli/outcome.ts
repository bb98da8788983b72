import { run } from "../../src/cli/run.js";

export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly error: string;
}

/** The command, called in this process. */
export async function balsa(...args: readonly string[]): Promise<Outcome> {
  const out: Buffer[] = [];
  let error = "";
  const exitCode = await run(args, {
    out: (text) => void out.push(Buffer.from(text)),
    error: (text) => void (error += text),
    progress: () => {},
  });
  return { exitCode, out: Buffer.concat(out).toString(), error };
}
