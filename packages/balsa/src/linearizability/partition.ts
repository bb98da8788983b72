import type { Model } from "./model.js";
import type { EffectiveOperation } from "./operation.js";

/** Operations that no other operation of the history has a key in common with. */
export interface Partition<Input, Output> {
  /** What they concern, sorted; undefined: everything. */
  readonly keys: readonly string[] | undefined;
  readonly operations: readonly EffectiveOperation<Input, Output>[];
}

/**
 * Cuts a history into parts that can be checked apart. Keys that one operation has together belong together, and so on
 * through all operations: each such group of keys is an object of its own, and the history is linearizable exactly if
 * that of each object is (Herlihy and Wing 1990, theorem 1).
 */
export function partitionsOf<Input, Output>(
  model: Pick<Model<never, Input, Output>, "keys">,
  operations: readonly EffectiveOperation<Input, Output>[],
): Partition<Input, Output>[] {
  const everything = [{ keys: undefined, operations }];
  if (model.keys === undefined) return everything;
  const groups = new KeyGroups();
  const homes: (string | undefined)[] = [];
  for (const { input } of operations) {
    const keys = model.keys(input);
    if (keys === undefined) return everything;
    homes.push(keys[0]);
    for (const key of keys) groups.join(keys[0] as string, key);
  }
  const byRoot = new Map<string | undefined, EffectiveOperation<Input, Output>[]>();
  for (const [i, operation] of operations.entries()) {
    const home = homes[i];
    // What touches nothing has its answer to be checked all the same.
    const root = home === undefined ? undefined : groups.rootOf(home);
    const group = byRoot.get(root);
    if (group === undefined) byRoot.set(root, [operation]);
    else group.push(operation);
  }
  const keysByRoot = groups.byRoot();
  return [...byRoot].map(([root, group]) => ({
    keys: root === undefined ? [] : (keysByRoot.get(root) ?? []),
    operations: group,
  }));
}

/** Disjoint sets of keys. */
class KeyGroups {
  readonly #parents = new Map<string, string>();

  join(a: string, b: string): void {
    const root = this.rootOf(b);
    this.#parents.set(root, root);
    this.#parents.set(this.rootOf(a), root);
  }

  rootOf(key: string): string {
    let root = key;
    for (let above = this.#parents.get(root); above !== undefined && above !== root; above = this.#parents.get(root)) {
      root = above;
    }
    // The way there is made short for all that come after.
    for (let at = key; at !== root; ) {
      const above = this.#parents.get(at) ?? root;
      this.#parents.set(at, root);
      at = above;
    }
    return root;
  }

  byRoot(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const key of [...this.#parents.keys()].sort()) {
      const root = this.rootOf(key);
      const keys = found.get(root);
      if (keys === undefined) found.set(root, [key]);
      else keys.push(key);
    }
    return found;
  }
}
