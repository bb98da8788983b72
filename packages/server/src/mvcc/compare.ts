import { keyRange } from "./key-range.js";
import type { KeyVersion } from "./key-version.js";
import type { Compare, CompareResult } from "./request.js";
import type { ReadView } from "./store.js";

export function allHold(view: ReadView, compares: readonly Compare[]): boolean {
  return compares.every((compare) => holds(view, compare));
}

/** A key that is not there compares as one whose numbers are all 0, and against a value it never holds. */
function holds(view: ReadView, compare: Compare): boolean {
  let found = false;
  let allSatisfy = true;
  view.visit(keyRange(compare.key, compare.rangeEnd), view.revision, (version) => {
    found = true;
    allSatisfy &&= satisfies(compare, version);
  });
  return found ? allSatisfy : compare.target !== "value" && satisfies(compare, undefined);
}

function satisfies(compare: Compare, version: KeyVersion | undefined): boolean {
  return accepts(compare.result, orderOf(compare, version));
}

/** Negative, 0 or positive, as the key's property is below, at or above the operand. */
function orderOf(compare: Compare, version: KeyVersion | undefined): number {
  switch (compare.target) {
    case "version":
      return (version?.version ?? 0) - compare.operand;
    case "create":
      return (version?.createRevision ?? 0) - compare.operand;
    case "mod":
      return (version?.modRevision ?? 0) - compare.operand;
    case "value":
      return orderBetween(version?.value ?? "", compare.operand);
    case "lease":
      return orderBetween(version?.lease ?? 0n, compare.operand);
    default:
      compare satisfies never;
      return 0;
  }
}

function orderBetween<Operand extends string | bigint>(a: Operand, b: Operand): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function accepts(result: CompareResult, order: number): boolean {
  switch (result) {
    case "equal":
      return order === 0;
    case "not-equal":
      return order !== 0;
    case "greater":
      return order > 0;
    case "less":
      return order < 0;
    default:
      result satisfies never;
      return false;
  }
}
