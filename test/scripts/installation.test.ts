import { describe, expect, it } from "vitest";
import { type Lock, staleInstallation } from "../../scripts/installation.mjs";

const lock = (packages: Lock["packages"]): Lock => ({ packages });
const vitest = { version: "4.1.12", integrity: "sha512-a" };

describe("whether node_modules is what the lock asks for", () => {
  it("nothing installed is stale", () => {
    expect(staleInstallation(lock({ "node_modules/vitest": vitest }), undefined)).toBe("nothing is installed yet");
  });

  it("the same packages are not stale, whatever the root itself is called", () => {
    const installed = lock({ "node_modules/vitest": vitest });
    expect(staleInstallation(lock({ "": { version: "1.0.0" }, "node_modules/vitest": vitest }), installed)).toBe(
      undefined,
    );
  });

  it.each([
    ["a missing package", lock({}), "node_modules/vitest is missing"],
    ["another version", lock({ "node_modules/vitest": { ...vitest, version: "4.1.11" } }), "has changed"],
    ["another content", lock({ "node_modules/vitest": { ...vitest, integrity: "sha512-b" } }), "has changed"],
    [
      "one too many",
      lock({ "node_modules/vitest": vitest, "node_modules/left": vitest }),
      "node_modules/left is no longer wanted",
    ],
  ])("%s is stale, and the reason says which", (_what, installed, reason) => {
    expect(staleInstallation(lock({ "node_modules/vitest": vitest }), installed)).toContain(reason);
  });

  it("what is built for another platform may be absent", () => {
    const wanted = lock({
      "node_modules/vitest": vitest,
      "node_modules/fsevents": { version: "2.3.3", optional: true },
    });
    expect(staleInstallation(wanted, lock({ "node_modules/vitest": vitest }))).toBe(undefined);
  });
});
