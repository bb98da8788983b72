import type { SimEvent } from "./event-queue.js";
import type { Timeline } from "./timeline.js";

/**
 * One life of a node: from its start to its crash or stop. Whatever it still waited for when it died never happens;
 * whatever its code still calls (a crash may come in the middle of a call) has no effect and no answer.
 */
export class SimProcess {
  readonly node: string;
  /** 1 for the node's first life. */
  readonly life: number;
  readonly timeline: Timeline;
  #alive = true;

  constructor(node: string, life: number, timeline: Timeline) {
    this.node = node;
    this.life = life;
    this.timeline = timeline;
  }

  get alive(): boolean {
    return this.#alive;
  }

  die(): void {
    this.#alive = false;
  }

  /** An event of this process. */
  schedule(delayUs: number, kind: string, detail: string, run: () => void): SimEvent {
    return this.timeline.schedule(delayUs, { owner: this, node: this.node, kind, detail }, run);
  }

  /** What `complete` returns, or throws, at the end of the delay, in an event of its own. */
  after<Result>(delayUs: number, kind: string, detail: string, complete: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.schedule(delayUs, kind, detail, () => {
        try {
          resolve(complete());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}
