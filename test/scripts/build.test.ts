import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { orphans } from "../../scripts/build.mjs";

describe("the build", () => {
  it("finds compiled files whose source is gone, and nothing else", () => {
    const repository = mkdtempSync(join(tmpdir(), "balsa-build-"));
    onTestFinished(() => rmSync(repository, { recursive: true }));
    for (const path of [
      "packages/a/src/core/kept.ts",
      "packages/a/dist/core/kept.js",
      "packages/a/dist/core/kept.js.map",
      "packages/a/dist/core/kept.d.ts",
      "packages/a/dist/core/.tsbuildinfo",
      "packages/a/dist/core/gone.js",
      "packages/a/dist/core/gone.d.ts.map",
      "packages/unbuilt/src/index.ts",
    ]) {
      mkdirSync(dirname(join(repository, path)), { recursive: true });
      writeFileSync(join(repository, path), "");
    }
    expect(orphans(repository)).toEqual(["packages/a/dist/core/gone.d.ts.map", "packages/a/dist/core/gone.js"]);
  });
});
