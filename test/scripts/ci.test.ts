import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "../house/house.js";

describe("what CI runs", () => {
  it("adds up the closing lines of its steps, alone on the last line", () => {
    expect(ci({ test: "12 passed, 0 failed, 3 skipped", check: "5 passed, 0 failed, 0 skipped" })).toEqual({
      status: 0,
      lastLine: "18 passed, 0 failed, 3 skipped",
    });
  });

  it("fails when a step fails", () => {
    expect(ci({ test: "11 passed, 1 failed, 0 skipped" })).toEqual({
      status: 1,
      lastLine: "13 passed, 1 failed, 0 skipped",
    });
  });

  it("counts a step that ends without a closing line as a failure", () => {
    expect(ci({ test: "Killed" })).toEqual({ status: 1, lastLine: "2 passed, 1 failed, 0 skipped" });
  });

  it("counts a step that fails without saying so as a failure", () => {
    expect(ci({ test: "1 passed, 0 failed, 0 skipped", exitCode: 1 })).toEqual({
      status: 1,
      lastLine: "3 passed, 1 failed, 0 skipped",
    });
  });
});

/** Runs .ci/run in a folder of its own, where npm says what it is told to. */
function ci(says: { readonly test: string; readonly check?: string; readonly exitCode?: number }): object {
  const dir = mkdtempSync(join(tmpdir(), "balsa-ci-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, ".ci"));
  mkdirSync(join(dir, "bin"));
  copyFileSync(join(root, ".ci/run"), join(dir, ".ci/run"));
  const one = "1 passed, 0 failed, 0 skipped";
  executable("etcdctl", "");
  executable(
    "npm",
    `case "$*" in
       test) echo "some output"; echo "${says.test}"; exit ${says.exitCode ?? 0} ;;
       "run check") echo "${says.check ?? one}" ;;
       "run deep"*) echo "${one}" ;;
     esac`,
  );
  const { status, stdout } = spawnSync("bash", [join(dir, ".ci/run")], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${join(dir, "bin")}:${process.env["PATH"]}` },
  });
  return { status, lastLine: stdout.trimEnd().split("\n").at(-1) };

  function executable(name: string, body: string): void {
    writeFileSync(join(dir, "bin", name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(dir, "bin", name), 0o755);
  }
}
