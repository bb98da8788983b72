import { describe, expect, test } from "vitest";
import {
  checkLinearizability,
  explainVerdict,
  HistoryRecorder,
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  type QueueInput,
  type QueueOutput,
  queueModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "../../src/linearizability/index.js";

type Input = RegisterInput<number>;
type Output = RegisterOutput<number>;

const read: Input = { kind: "read" };
const write = (value: number): Input => ({ kind: "write", value });
const swap = (expected: number, value: number): Input => ({ kind: "compare-and-set", expected, value });
const saw = (value: number): Output => ({ kind: "value", value });
const written: Output = { kind: "written" };
const swapped: Output = { kind: "compared", swapped: true };
const kept: Output = { kind: "compared", swapped: false };

/** Tells a story of one register that begins at 0; each event is one unit of time after the last. */
class Story {
  readonly recorder: HistoryRecorder<Input, Output> = new HistoryRecorder();
  #now = 0;

  begin(client: string, input: Input): number {
    return this.recorder.invoke(client, input, ++this.#now);
  }

  end(operation: number, output: Output): this {
    this.recorder.complete(operation, output, ++this.#now);
    return this;
  }

  lose(operation: number): this {
    this.recorder.lose(operation, ++this.#now);
    return this;
  }

  fail(operation: number): this {
    this.recorder.fail(operation, ++this.#now);
    return this;
  }

  /** An operation with no other beside it. */
  alone(client: string, input: Input, output: Output): this {
    return this.end(this.begin(client, input), output);
  }

  /** The number of the operation that has no place; undefined: all have. */
  culprit(): number | undefined {
    const verdict = checkLinearizability(registerModel(0), this.recorder.history());
    expect(verdict.kind).not.toBe("undecided");
    return verdict.kind === "not-linearizable" ? verdict.counterexample.operation.id : undefined;
  }
}

describe("what is wrong is found", () => {
  test("a stale read: a write that was answered is not seen", () => {
    const story = new Story().alone("p", write(1), written).alone("q", read, saw(0));
    expect(story.culprit()).toBe(1);
  });

  test("reads that go back: what one saw, a later one does not", () => {
    const story = new Story();
    const slow = story.begin("p", write(1));
    story.alone("q", read, saw(1)).alone("r", read, saw(0)).end(slow, written);
    expect(story.culprit()).toBe(2);
  });

  test("a lost update: two that read the same and both replaced it", () => {
    const story = new Story();
    const [one, other] = [story.begin("p", swap(0, 1)), story.begin("q", swap(0, 2))];
    story.end(one, swapped).end(other, swapped);
    expect(story.culprit()).toBe(1);
  });

  test("split brain: two sides answer writes, and each sees its own only", () => {
    const story = new Story();
    story.alone("p", write(1), written).alone("q", write(2), written);
    story.alone("p", read, saw(1)).alone("q", read, saw(2));
    expect(story.culprit()).toBe(2);
  });

  test("a read from the future: a value before anybody wrote it", () => {
    const story = new Story().alone("q", read, saw(1)).alone("p", write(1), written);
    expect(story.culprit()).toBe(0);
  });

  test("a value that nobody ever wrote", () => {
    const story = new Story().alone("p", write(1), written).alone("q", read, saw(7));
    expect(story.culprit()).toBe(1);
  });

  test("a write that surely failed and is seen all the same", () => {
    const story = new Story();
    story.fail(story.begin("p", write(1))).alone("q", read, saw(1));
    expect(story.culprit()).toBe(1);
  });

  test("a write that timed out and takes effect twice", () => {
    const story = new Story();
    story.lose(story.begin("p", write(1)));
    story.alone("q", read, saw(1)).alone("q", write(2), written).alone("q", read, saw(1));
    expect(story.culprit()).toBe(3);
  });

  test("a compare-and-set that did not see what was there", () => {
    const story = new Story().alone("p", write(1), written).alone("q", swap(1, 2), kept);
    expect(story.culprit()).toBe(1);
  });

  test("a transaction that is seen in part", () => {
    const recorder = new HistoryRecorder<KeyValueInput, KeyValueOutput>();
    const both = recorder.invoke(
      "p",
      {
        kind: "transaction",
        when: [],
        success: [
          { kind: "put", key: "x", value: "1" },
          { kind: "put", key: "y", value: "1" },
        ],
        failure: [],
      },
      0,
    );
    const x = recorder.invoke("q", { kind: "get", key: "x" }, 1);
    recorder.complete(x, { kind: "value", value: "1" }, 2);
    const y = recorder.invoke("q", { kind: "get", key: "y" }, 3);
    recorder.complete(y, { kind: "value", value: undefined }, 4);
    recorder.complete(both, { kind: "transaction", succeeded: true, results: [{ kind: "done" }, { kind: "done" }] }, 5);
    const model = keyValueModel();
    const verdict = checkLinearizability(model, recorder.history());
    expect(verdict).toMatchObject({ kind: "not-linearizable", counterexample: { keys: ["x", "y"] } });
    expect(explainVerdict(model, verdict)).toContain("get y → nothing");
  });

  test("a queue that gives the same twice", () => {
    const queue = new HistoryRecorder<QueueInput<string>, QueueOutput<string>>();
    queue.complete(queue.invoke("p", { kind: "enqueue", value: "job" }, 0), { kind: "enqueued" }, 1);
    const [one, other] = [queue.invoke("q", { kind: "dequeue" }, 2), queue.invoke("r", { kind: "dequeue" }, 2)];
    queue.complete(one, { kind: "dequeued", value: "job" }, 3);
    queue.complete(other, { kind: "dequeued", value: "job" }, 3);
    expect(checkLinearizability(queueModel<string>(), queue.history()).kind).toBe("not-linearizable");
  });
});

describe("what is right is not called wrong", () => {
  test("a write that timed out and takes effect long after", () => {
    const story = new Story();
    story.lose(story.begin("p", write(1)));
    story.alone("q", write(2), written).alone("q", read, saw(2)).alone("q", read, saw(1));
    expect(story.culprit()).toBeUndefined();
  });

  test("a write that timed out and never takes effect", () => {
    const story = new Story();
    story.lose(story.begin("p", write(1)));
    story.alone("q", read, saw(0)).alone("q", read, saw(0));
    expect(story.culprit()).toBeUndefined();
  });

  test("a write without any outcome when the history ends, already seen", () => {
    const story = new Story();
    story.begin("p", write(1));
    expect(story.alone("q", read, saw(1)).culprit()).toBeUndefined();
  });

  test("one write that timed out and makes another, which timed out too, possible", () => {
    const story = new Story();
    story.lose(story.begin("p", swap(1, 2))).lose(story.begin("q", write(1)));
    expect(story.alone("r", read, saw(2)).culprit()).toBeUndefined();
  });

  test("reads beside a write that disagree about it, in an order that it can have", () => {
    const story = new Story();
    const slow = story.begin("p", write(1));
    story.alone("q", read, saw(0)).alone("r", read, saw(1)).end(slow, written);
    expect(story.culprit()).toBeUndefined();
  });

  test("operations of one client beside each other, answered the other way round", () => {
    const story = new Story();
    const [one, other] = [story.begin("p", write(1)), story.begin("p", write(2))];
    story.end(other, written).end(one, written).alone("p", read, saw(2));
    expect(story.culprit()).toBeUndefined();
  });

  test("a read that failed, whatever it might have seen", () => {
    const story = new Story();
    story.fail(story.begin("p", read)).lose(story.begin("p", read)).alone("q", read, saw(0));
    expect(story.culprit()).toBeUndefined();
  });

  test("a history of nothing", () => {
    expect(new Story().culprit()).toBeUndefined();
  });
});
