import type { NetworkFaults } from "../sim/index.js";

/** Links that are blocked, each as often as somebody blocked it: one fault's end leaves another's blocks alone. */
export class BlockedLinks {
  readonly #network: NetworkFaults;
  readonly #counts = new Map<string, number>();

  constructor(network: NetworkFaults) {
    this.#network = network;
  }

  block(from: string, to: string): void {
    const key = `${from} ${to}`;
    const count = this.#counts.get(key) ?? 0;
    this.#counts.set(key, count + 1);
    if (count === 0) this.#network.block(from, to);
  }

  unblock(from: string, to: string): void {
    const key = `${from} ${to}`;
    const count = this.#counts.get(key) ?? 0;
    if (count === 0) return;
    this.#counts.set(key, count - 1);
    if (count === 1) this.#network.unblock(from, to);
  }

  /** All are free again; ends of faults that are still to come have no effect. */
  clear(): void {
    this.#counts.clear();
    this.#network.heal();
  }
}
