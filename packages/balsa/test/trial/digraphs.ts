/** Directed graphs, up to the names of their nodes: which ways there may be between so many members. */

/** Way `from` → `to` is bit `from * size + to` of a graph; nobody has one to itself. */
export type Digraph = number;

export function waysOf(graph: Digraph, size: number): readonly (readonly [from: number, to: number])[] {
  const ways: [number, number][] = [];
  for (let from = 0; from < size; from++) {
    for (let to = 0; to < size; to++) if ((graph >>> (from * size + to)) & 1) ways.push([from, to]);
  }
  return ways;
}

export function permutations(size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  return permutations(size - 1).flatMap((rest) =>
    Array.from({ length: size }, (_, at) => [...rest.slice(0, at), size - 1, ...rest.slice(at)]),
  );
}

/** One of each kind, the smallest number of each. */
export function digraphs(size: number): readonly Digraph[] {
  const pairs = waysOf(2 ** (size * size) - 1, size).filter(([from, to]) => from !== to);
  const renamings = permutations(size).map((names) =>
    pairs.map(([from, to]) => 1 << ((names[from] as number) * size + (names[to] as number))),
  );
  const seen = new Set<Digraph>();
  const found: Digraph[] = [];
  for (let set = 0; set < 2 ** pairs.length; set++) {
    let graph = 0;
    for (const [at, [from, to]] of pairs.entries()) if ((set >>> at) & 1) graph |= 1 << (from * size + to);
    if (seen.has(graph)) continue;
    found.push(graph);
    for (const bits of renamings) {
      let image = 0;
      for (const [at, bit] of bits.entries()) if ((set >>> at) & 1) image |= bit;
      seen.add(image);
    }
  }
  return found;
}
