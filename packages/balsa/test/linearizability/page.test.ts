import { describe, expect, test } from "vitest";
import {
  type Counterexample,
  checkLinearizability,
  drawCounterexample,
  type History,
  HistoryRecorder,
  historyOf,
  type KeyValueInput,
  type KeyValueOutput,
  type KeyValueState,
  keyValueModel,
  type Model,
  perKeyModel,
  registerModel,
} from "../../src/linearizability/index.js";
import { layOut } from "../../src/linearizability/page-layout.js";
import { randomHistory } from "./random-history.js";

const model = keyValueModel();

function counterexampleOf<State, Input, Output>(
  of: Model<State, Input, Output>,
  history: History<Input, Output>,
): Counterexample<State, Input, Output> {
  const verdict = checkLinearizability(of, history);
  if (verdict.kind !== "not-linearizable") throw new Error(`the history is ${verdict.kind}`);
  return verdict.counterexample;
}

/** A stale read beside all that a page can show: overlap, failure, a write that timed out, one still under way. */
function staleRead(text = "1"): Counterexample<KeyValueState, KeyValueInput, KeyValueOutput> {
  const recorder = new HistoryRecorder<KeyValueInput, KeyValueOutput>();
  const put = recorder.invoke(`client ${text}`, { kind: "put", key: "x", value: text }, 0);
  const beside = recorder.invoke("b", { kind: "get", key: "x" }, 5);
  recorder.complete(put, { kind: "done" }, 10);
  recorder.complete(beside, { kind: "value", value: text }, 12);
  recorder.fail(recorder.invoke("b", { kind: "put", key: "x", value: "failed" }, 20), 22);
  const lost = recorder.invoke("c", { kind: "put", key: "x", value: "late" }, 30);
  recorder.invoke("d", { kind: "put", key: "x", value: "pending" }, 35);
  recorder.lose(lost, 400);
  const stale = recorder.invoke("b", { kind: "get", key: "x" }, 410);
  recorder.complete(
    recorder.invoke("other", { kind: "put", key: "elsewhere", value: "1" }, 411),
    { kind: "done" },
    412,
  );
  recorder.complete(stale, { kind: "value", value: undefined }, 420);
  return counterexampleOf(model, recorder.history());
}

describe("drawCounterexample", () => {
  const page = drawCounterexample(model, staleRead());

  test("shows every operation of the part that fails, and no other", () => {
    expect(page.match(/<div class="bar /g)).toHaveLength(6);
    expect(page).toContain("put x = &quot;late&quot; → unknown");
    expect(page).toContain("put x = &quot;failed&quot; → failed, without effect");
    expect(page).not.toContain("elsewhere");
  });

  test("marks the one that has no place and says why", () => {
    expect(page.match(/<div class="bar bad/g)).toHaveLength(1);
    expect(page).toContain("with { x = &quot;1&quot; } it answers &quot;1&quot;, not nothing");
  });

  test("shows the longest partial linearizations, one of them at first", () => {
    const { attempts } = staleRead();
    expect(new Set(attempts.map(({ state }) => state.get("x")))).toEqual(new Set(["1", "late", "pending"]));
    expect(page.match(/<input type="radio"/g)).toHaveLength(3);
    expect(page.match(/ checked>/g)).toHaveLength(1);
    expect(page.match(/<svg class="order /g)).toHaveLength(3);
  });

  test("needs nothing but itself: no script, no address, and a policy that forbids them", () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<script|<link|<img|<iframe|https?:|@import|url\(|javascript:|\son\w+=/i);
  });

  test("escapes all that comes from the history", () => {
    const evil = `"><script>alert('1')</script>&amp;`;
    const drawn = drawCounterexample(model, staleRead(evil), { title: evil, timeUnit: evil });
    expect(drawn).not.toContain("<script");
    expect(drawn).not.toContain("alert('1')");
    expect(drawn).toContain("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;");
    const harmless = "-".repeat(evil.length);
    const same = drawCounterexample(model, staleRead(harmless), { title: harmless, timeUnit: harmless });
    expect(countTags(drawn)).toEqual(countTags(same));
  });

  test("is a pure function: the same counterexample, the same page", () => {
    expect(drawCounterexample(model, staleRead())).toBe(page);
  });

  test("its tags are well nested", () => {
    const open: string[] = [];
    for (const [, slash, name = "", selfClosing] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (["meta", "input"].includes(name) || selfClosing === "/") continue;
      if (slash === "/") expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  test("of thousands of operations the last are drawn, and those that an order ends with", () => {
    const registers = perKeyModel(registerModel(0));
    const { operations } = randomHistory({ seed: "page", operations: 3_000, clients: 4, keys: 1 });
    const end = operations.length * 10;
    const impossible = { client: "z", input: { key: "k0", input: { kind: "read" as const } } };
    const output = { kind: "value" as const, value: -1 };
    const history = historyOf([
      ...operations,
      { ...impossible, outcome: { kind: "completed" as const, output }, invokedAt: end, endedAt: end + 1 },
    ]);
    const drawn = drawCounterexample(registers, counterexampleOf(registers, history), { operationsMax: 50 });
    const bars = drawn.match(/<div class="bar /g)?.length ?? 0;
    expect(bars).toBeGreaterThanOrEqual(50);
    expect(bars).toBeLessThan(100);
    expect(drawn).toContain(`3001 operations began before it, the last ${bars} are drawn`);
  });
});

describe("the layout", () => {
  const counterexample = staleRead();
  const { bars, points, width, height, lanes } = layOut(counterexample, 200);
  const barOf = (id: number) => bars.find(({ operation }) => operation.id === id)!;

  test("bars of one lane don't overlap, and lie in the lane of their client", () => {
    for (const [i, a] of bars.entries()) {
      const lane = lanes.find(({ client }) => client === a.operation.client)!;
      expect(a.top).toBeGreaterThanOrEqual(lane.top);
      expect(a.top + a.height).toBeLessThanOrEqual(lane.top + lane.height);
      expect(a.left + a.width).toBeLessThanOrEqual(width);
      expect(a.top + a.height).toBeLessThanOrEqual(height);
      for (const b of bars.slice(i + 1)) {
        if (a.top === b.top) expect(b.left).toBeGreaterThanOrEqual(a.left + a.width);
      }
    }
  });

  test("events keep their order from left to right", () => {
    const events = bars.flatMap(({ operation, left, width: wide, isOpen }) => [
      { rank: operation.invokedRank, x: left },
      ...(isOpen ? [] : [{ rank: operation.endedRank, x: left + wide }]),
    ]);
    const xs = events.toSorted((a, b) => a.rank - b.rank).map(({ x }) => x);
    expect(xs).toEqual(xs.toSorted((a, b) => a - b));
    expect(new Set(xs).size).toBe(xs.length);
  });

  test("every effect lies within its operation, and after the one before it", () => {
    for (const [i, { order }] of counterexample.attempts.entries()) {
      expect(points[i]?.map(({ ordinal }) => ordinal)).toEqual(order.map((_, ordinal) => ordinal + 1));
      let before = 0;
      for (const { x, y, ordinal } of points[i] ?? []) {
        const bar = barOf(order[ordinal - 1]!.id);
        expect(x).toBeGreaterThan(Math.max(bar.left, before));
        expect(x).toBeLessThan(bar.left + bar.width);
        expect(y).toBeGreaterThan(bar.top);
        expect(y).toBeLessThan(bar.top + bar.height);
        before = x;
      }
    }
  });

  test("a write that timed out goes on to the end, with a mark where its client gave up", () => {
    const lost = bars.find(({ operation }) => operation.client === "c")!;
    expect(lost.left + lost.width).toBe(width);
    expect(lost.givenUpAt).toBeGreaterThan(lost.left);
    expect(lost.givenUpAt).toBeLessThan(width);
  });
});

function countTags(page: string): number {
  return page.match(/<[a-z]/g)?.length ?? 0;
}
