import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { findBrowser } from "./find-browser.js";
import { stormHashes } from "./storm-hashes.js";

const SEEDS: readonly string[] = Array.from({ length: 20 }, (_, i) => `browser ${i + 1}`);

const browser = findBrowser();

async function bundle(): Promise<string> {
  const built = await build({
    entryPoints: [fileURLToPath(new URL("storm-hashes.ts", import.meta.url))],
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "storms",
    write: false,
    logLevel: "silent",
  });
  expect(built.warnings).toEqual([]);
  return built.outputFiles[0]?.text ?? "";
}

/** A page that runs the bundle and says what came of it. */
const PAGE = `<!doctype html><meta charset="utf-8"><title>storms</title><script src="/bundle.js"></script><script>
  const report = (result) => fetch("/result", { method: "POST", body: JSON.stringify(result) });
  storms.stormHashes(${JSON.stringify(SEEDS)}).then((hashes) => report({ hashes }), (error) => report({ error: String(error) }));
</script>`;

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Opens the page in a browser without a window; gives what it reports. */
async function runInBrowser(command: string, script: string): Promise<unknown> {
  let report: (text: string) => void = () => {};
  const reported = new Promise<string>((resolve) => {
    report = resolve;
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === "POST") report(await bodyOf(request));
    const isScript = request.url === "/bundle.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : PAGE);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const profile = mkdtempSync(join(tmpdir(), "balsa-browser-"));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`, url];
  const running = spawn(command, args, { stdio: "ignore" });
  const ended = new Promise<never>((_resolve, reject) => {
    running.once("exit", (code) => reject(new Error(`${command} ended early, exit code ${code}`)));
  });
  try {
    return JSON.parse(await Promise.race([reported, ended]));
  } finally {
    const gone = ended.catch(() => {});
    running.kill("SIGKILL");
    await gone;
    server.close();
    server.closeAllConnections();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

test.skipIf(browser === undefined)("a browser runs the same seeds to the same traces as Node", async () => {
  if (browser === undefined) return;
  const inBrowser = await runInBrowser(browser, await bundle());
  expect(inBrowser).toEqual({ hashes: await stormHashes(SEEDS) });
});
