import { BalsaError } from "balsa/core";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PUBLISH_RETRY_MS } from "../../src/limits.js";
import { EtcdState } from "../../src/machine/etcd-state.js";
import { Publisher } from "../../src/member/publisher.js";
import { StandInConsensus } from "../stand-in-consensus.js";

const log = pino({ level: "silent" });
let state: EtcdState;
let consensus: StandInConsensus;

beforeEach(() => {
  vi.useFakeTimers();
  state = new EtcdState();
  consensus = new StandInConsensus(state);
});
afterEach(() => {
  vi.useRealTimers();
});

function publisher(name: string): Publisher {
  const attributes = { memberId: consensus.memberId, name, clientUrls: ["http://a:1"] };
  return new Publisher({ consensus, state, attributes, timeoutMs: 1_000, log });
}

describe("a member makes itself known", () => {
  it("once, and not again when nothing has changed", async () => {
    publisher("m1").start();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.attributesOf(consensus.memberId)).toMatchObject({ name: "m1" });
    publisher("m1").start();
    await vi.advanceTimersByTimeAsync(0);
    expect(consensus.log).toHaveLength(1);
    publisher("renamed").start();
    await vi.advanceTimersByTimeAsync(0);
    expect(state.attributesOf(consensus.memberId)).toMatchObject({ name: "renamed" });
  });

  it("tries until the cluster can take it", async () => {
    consensus.failure = new BalsaError("timeout", "no leader");
    publisher("m1").start();
    await vi.advanceTimersByTimeAsync(3 * PUBLISH_RETRY_MS);
    expect(consensus.log).toHaveLength(0);
    consensus.failure = undefined;
    await vi.advanceTimersByTimeAsync(PUBLISH_RETRY_MS);
    expect(consensus.log).toHaveLength(1);
  });

  it("stops trying when the member stops", async () => {
    consensus.failure = new BalsaError("timeout", "no leader");
    const stopped = publisher("m1");
    stopped.start();
    await vi.advanceTimersByTimeAsync(1);
    stopped.stop();
    consensus.failure = undefined;
    await vi.advanceTimersByTimeAsync(10 * PUBLISH_RETRY_MS);
    expect(consensus.log).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
