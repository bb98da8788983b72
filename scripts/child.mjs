import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The repository's root, without a trailing slash. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/**
 * Runs a program to its end. A signal that asks this process to stop is passed on, and ends this process too once the
 * program has gone: npm passes no signal on, and an install or a test run must not live on without its parent.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions & { onMessage?: (message: any) => void }} [options]
 * @returns {Promise<number>} its exit code; 128 and more when a signal ended it
 */
export function runChild(program, args, options = {}) {
  const { onMessage, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", ...spawnOptions });
    /** @type {NodeJS.Signals | undefined} */
    let asked;
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      asked = signal;
      child.kill(signal);
    };
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, passOn);
    const release = () => {
      for (const signal of signals) process.off(signal, passOn);
    };
    if (onMessage !== undefined) child.on("message", onMessage);
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", (code) => {
      release();
      if (asked !== undefined) process.kill(process.pid, asked);
      resolve(code ?? 128);
    });
  });
}

/**
 * Runs a program and keeps what it prints instead of showing it.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<{ exitCode: number, output: string }>} output: standard output and standard error as they came
 */
export async function captureChild(program, args, options = {}) {
  let output = "";
  const exitCode = await new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, ...options, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 128));
  });
  return { exitCode, output };
}
