import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nodeTooOld, wantedNode } from "../../scripts/node-version.mjs";
import { root } from "../house/house.js";

describe("the Node it runs on", () => {
  it.each(["18.20.4", "20.18.3", "4.0.0"])("%s is too old for >=20.19", (version) => {
    expect(nodeTooOld(version, ">=20.19")).toBe(`Balsa needs Node 20.19 or newer; this is Node ${version}.`);
  });

  it.each(["20.19.0", "20.20.2", "22.0.0", "26.1.0"])("%s will do", (version) => {
    expect(nodeTooOld(version, ">=20.19")).toBe(undefined);
  });

  it("this one will do", () => {
    expect(nodeTooOld(process.versions.node, wantedNode())).toBe(undefined);
  });

  it("one that is too old gets one line and exit code 1, before anything else happens", () => {
    const disguise =
      'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.0.0" } })';
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", disguise, join(root, "scripts/run.mjs"), "start"],
      { encoding: "utf8" },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: "",
      stderr: "Balsa needs Node 20.19 or newer; this is Node 18.0.0.\n",
    });
  });
});

describe("a task that is asked for what is not there", () => {
  it.each([
    ["deep", ["--only", "nonsense"], /^deep: no part "nonsense"; there are: .*kill-loop/],
    ["deep", ["--minutes", "none"], /^deep: --minutes takes a number above zero/],
    ["bench", ["nonsense"], /^bench: name one of .*put/],
  ])("%s %j gets one line and exit code 2", (task, args, line) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), task, ...args], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(line);
  });
});
