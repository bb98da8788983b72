/** A renaming of nodes: `permutation[id]` is the new ID; nobody (0) stays nobody. */
export type Permutation = readonly number[];

/** All renamings of nodes 1 … `nodes` that keep each class within itself; the identity comes first. */
export function permutationsOf(nodes: number, classes: readonly (readonly number[])[]): readonly Permutation[] {
  const identity = Array.from({ length: nodes + 1 }, (_, id) => id);
  let all: number[][] = [identity];
  for (const members of classes) {
    const orders = orderings(members);
    all = all.flatMap((permutation) =>
      orders.map((order) => {
        const renamed = permutation.slice();
        members.forEach((id, i) => {
          renamed[id] = order[i] as number;
        });
        return renamed;
      }),
    );
  }
  return all;
}

function orderings(members: readonly number[]): number[][] {
  if (members.length === 0) return [[]];
  return members.flatMap((first) => orderings(members.filter((id) => id !== first)).map((rest) => [first, ...rest]));
}
