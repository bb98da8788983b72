import { MACROTASK_BATCH_MAX } from "./limits.js";

// The one place that names what Node and browsers have in common here, or Node has alone. Declared in module scope, so
// that they can't disagree with Node's or the DOM's types.
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: number): void;
  close(): void;
}
declare const MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
declare const setImmediate: ((task: () => void) => unknown) | undefined;

/** Starts macrotasks: `post` one, `close` when there will be no more. */
interface MacrotaskQueue {
  post(): void;
  close(): void;
}

function openMacrotaskQueue(task: () => void): MacrotaskQueue {
  if (typeof setImmediate === "function") {
    const post = setImmediate;
    return { post: () => void post(task), close: () => {} };
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = task;
  return { post: () => port2.postMessage(0), close: () => port1.close() };
}

/**
 * Calls `step` in one macrotask after the other until it returns false, so that all promises that a step settled have
 * run their course before the next. Rejects with what `step` throws.
 *
 * Several are posted ahead, which changes nothing but the price. Per step, Node 20, `setImmediate` 0.3 µs ahead and
 * 1.5 µs one at a time; `MessageChannel`, for browsers, 1.2 µs either way; awaiting nothing at all 0.3 µs.
 */
export function everyMacrotask(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let running = true;
    let batch = 1;
    let left = 1;
    const task = (): void => {
      if (!running) return;
      try {
        running = step();
      } catch (error) {
        running = false;
        reject(error);
      }
      if (!running) {
        queue.close();
        resolve();
        return;
      }
      left -= 1;
      if (left > 0) return;
      batch = Math.min(batch * 2, MACROTASK_BATCH_MAX);
      left = batch;
      for (let i = 0; i < batch; i += 1) queue.post();
    };
    const queue = openMacrotaskQueue(task);
    queue.post();
  });
}
