import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const COMMAND = fileURLToPath(new URL("../../bin/balsa.js", import.meta.url));

test("whoever reads the output may stop before its end, as head does: that is no error", async () => {
  const child = spawn(process.execPath, [COMMAND, "sim", "--seed", "1", "--profile", "short"]);
  child.stdout.destroy();
  const [error, [exitCode]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(error).toBe("");
  expect(exitCode).toBe(0);
});
