import { afterEach, expect, test, vi } from "vitest";
import { faultNames, runStorm } from "./fault-storm.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("the same seed gives the same trace, byte for byte, with real members and every fault there is", async () => {
  let acknowledged = 0;
  for (const seed of [1, 2, 3]) {
    const first = await runStorm({ seed }, faultNames.length * 2);
    const second = await runStorm({ seed }, faultNames.length * 2);
    expect(second.world.trace.lines).toEqual(first.world.trace.lines);
    expect(second.world.trace.hash()).toBe(first.world.trace.hash());
    expect([...first.injected].sort()).toEqual([...faultNames].sort());
    acknowledged += first.acknowledged;
  }
  expect(acknowledged).toBeGreaterThan(50);
});

test("each fault is in the trace", async () => {
  const { world } = await runStorm({ seed: 9 }, faultNames.length * 2);
  const words = new Set<string>();
  for (const line of world.trace.lines) {
    const [, , kind = "", detail = ""] = line.split(" ");
    words.add(kind === "disk" ? `disk ${detail.replace(/=.*/, "")}` : kind);
  }
  for (const word of [
    ...["crash", "kill", "power-off", "pause", "resume", "clock-rate", "clock-jump"],
    ...["disk wipe", "disk capacity", "disk slowness", "disk sync-error", "disk rot", "disk unreadable"],
    ...["block", "partition", "heal", "reset", "sever", "severed", "stall-link", "stall", "link"],
  ]) {
    expect(words).toContain(word);
  }
  // What is injected into a call is the outcome of that call.
  expect(world.trace.lines.some((line) => / (io|full)$/.test(line))).toBe(true);
});

test("nothing but the seed tells one run from another: neither the time of day nor the engine's own randomness", async () => {
  const here = await runStorm({ seed: 5, trace: "hash" }, faultNames.length);
  vi.stubGlobal("Date", undefined);
  vi.stubGlobal("performance", undefined);
  vi.stubGlobal("setTimeout", undefined);
  vi.stubGlobal("setInterval", undefined);
  vi.stubGlobal("queueMicrotask", undefined);
  vi.stubGlobal("crypto", undefined);
  const random = vi.spyOn(Math, "random").mockImplementation(() => {
    throw new Error("chance that no seed gave");
  });
  try {
    const elsewhere = await runStorm({ seed: 5, trace: "hash" }, faultNames.length);
    expect(elsewhere.world.trace.hash()).toBe(here.world.trace.hash());
  } finally {
    random.mockRestore();
  }
});
