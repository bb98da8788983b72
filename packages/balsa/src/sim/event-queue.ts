import type { SimEvent } from "./sim-event.js";

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.timeUs < b.timeUs || (a.timeUs === b.timeUs && a.sequence < b.sequence);
}

/** What is going to happen: a binary heap, by time and then sequence. */
export class EventQueue {
  #heap: SimEvent[] = [];
  #cancelled = 0;

  push(event: SimEvent): void {
    this.#heap.push(event);
    this.#siftUp(this.#heap.length - 1, 0);
  }

  /** The next event that is still to run; stays in the queue. */
  peek(): SimEvent | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.isDue) return first;
      if (first.run === undefined) this.#cancelled -= 1;
      this.removeFirst();
    }
  }

  pop(): SimEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.removeFirst();
    return first;
  }

  /** It will not run. Its place is given back lazily. */
  cancel(event: SimEvent): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#cancelled += 1;
    if (this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** Takes out what `peek` just gave. */
  removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown(0);
  }

  /** Takes out what will not run. The order of what stays does not depend on the heap's shape. */
  #sweep(): void {
    this.#heap = this.#heap.filter((event) => event.isDue);
    this.#cancelled = 0;
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i -= 1) this.#siftDown(i);
  }

  #siftUp(start: number, top: number): void {
    const heap = this.#heap;
    const event = heap[start] as SimEvent;
    let at = start;
    while (at > top) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent] as SimEvent;
      if (isBefore(above, event)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  /** To the bottom first, then up to its place, which is seldom far: half the comparisons. */
  #siftDown(start: number): void {
    const heap = this.#heap;
    const event = heap[start] as SimEvent;
    const { length } = heap;
    let at = start;
    for (let child = at * 2 + 1; child < length; child = at * 2 + 1) {
      let below = heap[child] as SimEvent;
      if (child + 1 < length) {
        const other = heap[child + 1] as SimEvent;
        if (isBefore(other, below)) {
          below = other;
          child += 1;
        }
      }
      heap[at] = below;
      at = child;
    }
    heap[at] = event;
    this.#siftUp(at, start);
  }
}
