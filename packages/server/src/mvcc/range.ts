import { ServerError } from "../server-error.js";
import { keyRange } from "./key-range.js";
import type { KeyVersion } from "./key-version.js";
import type { RangeRequest, SortTarget } from "./request.js";
import type { RangeResponse } from "./response.js";
import type { ReadView } from "./store.js";

/**
 * Reads a range.
 * @throws ServerError `future-revision`, `compacted`
 */
export function readRange(view: ReadView, request: RangeRequest): RangeResponse {
  const revision = effectiveRevision(view, request.revision);
  const range = keyRange(request.key, request.rangeEnd);
  const selectAll = request.sortOrder !== "none" || hasBounds(request);
  // One more than asked for tells whether there are more. Differs in nothing from etcd, also where that is odd: with
  // a target and no order the limit is applied before the sort.
  const fetchMax = request.limit > 0 && !selectAll ? request.limit + 1 : Number.POSITIVE_INFINITY;
  const versions: KeyVersion[] = [];
  let count = 0;
  view.visit(range, revision, (version) => {
    count++;
    if (!request.countOnly && versions.length < fetchMax) versions.push(version);
  });
  const selected = hasBounds(request) ? versions.filter((version) => isWithinBounds(version, request)) : versions;
  sort(selected, request);
  const more = request.limit > 0 && selected.length > request.limit;
  return {
    revision: view.revision,
    versions: more ? selected.slice(0, request.limit) : selected,
    count,
    more,
    keysOnly: request.keysOnly,
  };
}

function effectiveRevision(view: ReadView, asked: number): number {
  if (asked > view.revision) throw new ServerError("future-revision");
  const revision = asked > 0 ? asked : view.revision;
  if (revision < view.compactedRevision) throw new ServerError("compacted");
  return revision;
}

function hasBounds(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

function isWithinBounds(version: KeyVersion, request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (
    (maxModRevision === 0 || version.modRevision <= maxModRevision) &&
    (minModRevision === 0 || version.modRevision >= minModRevision) &&
    (maxCreateRevision === 0 || version.createRevision <= maxCreateRevision) &&
    (minCreateRevision === 0 || version.createRevision >= minCreateRevision)
  );
}

/** They come in the order of the keys; equal ones stay in it, also when descending. */
function sort(versions: KeyVersion[], request: RangeRequest): void {
  const { sortOrder, sortTarget } = request;
  if (sortOrder === "none" && sortTarget === "key") return;
  const compare = ORDERS[sortTarget];
  // A target without an order means ascending.
  versions.sort(sortOrder === "descend" ? (a, b) => compare(b, a) : compare);
}

const ORDERS: Readonly<Record<SortTarget, (a: KeyVersion, b: KeyVersion) => number>> = {
  key: (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  version: (a, b) => a.version - b.version,
  create: (a, b) => a.createRevision - b.createRevision,
  mod: (a, b) => a.modRevision - b.modRevision,
  value: (a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0),
};
