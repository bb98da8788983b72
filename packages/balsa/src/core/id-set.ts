/**
 * A set of node IDs as a sorted array that is never changed in place: cheap to share, to compare and to walk in order,
 * and smaller than a Set for the few members a group has.
 */
export type IdSet = readonly number[];

export const NO_IDS: IdSet = [];

export function idSet(ids: Iterable<number>): IdSet {
  return [...new Set(ids)].sort((a, b) => a - b);
}

export function withId(ids: IdSet, id: number): IdSet {
  return ids.includes(id) ? ids : idSet([...ids, id]);
}

export function withoutId(ids: IdSet, id: number): IdSet {
  return ids.includes(id) ? ids.filter((other) => other !== id) : ids;
}

export function union(a: IdSet, b: IdSet): IdSet {
  return b.length === 0 ? a : idSet([...a, ...b]);
}

export function sameIds(a: IdSet, b: IdSet): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** How many IDs are in one of the two and not in the other. */
export function differenceCount(a: IdSet, b: IdSet): number {
  let count = 0;
  for (const id of a) if (!b.includes(id)) count++;
  for (const id of b) if (!a.includes(id)) count++;
  return count;
}
