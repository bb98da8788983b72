import { LISTED_OPERATIONS_MAX } from "./limits.js";
import type { Operation } from "./operation.js";
import { TimeLine } from "./time-line.js";
import type { Counterexample } from "./verdict.js";

/** Pixels. */
const ROW_HEIGHT = 30;
const BAR_HEIGHT = 24;
const LANE_GAP = 14;

/** An operation on the page. Pixels from the upper left corner of all lanes. */
export interface Bar<Input, Output> {
  readonly operation: Operation<Input, Output>;
  readonly left: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  /** It goes on beyond the line's end. */
  readonly isOpen: boolean;
  /** From where on nobody waited for its answer; undefined: it was answered, or somebody waits. */
  readonly givenUpAt: number | undefined;
}

/** The room of one client. */
export interface Lane {
  readonly client: string;
  readonly top: number;
  readonly height: number;
}

/** Where an operation takes effect in an order. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** Its place in the order, from 1. */
  readonly ordinal: number;
}

export interface PageLayout<Input, Output> {
  readonly width: number;
  readonly height: number;
  readonly lanes: readonly Lane[];
  readonly bars: readonly Bar<Input, Output>[];
  readonly ticks: readonly { readonly x: number; readonly at: number }[];
  /** For each attempt, in the order of the effects. */
  readonly points: readonly (readonly Point[])[];
}

/** A lane for each client, a row in it for each operation that it has under way at once. */
export function layOut<State, Input, Output>(
  { operation: culprit, prefix, attempts }: Counterexample<State, Input, Output>,
  operationsMax: number,
): PageLayout<Input, Output> {
  const orders = attempts.map(({ order }) => order);
  const wanted = new Set<number>([culprit.id]);
  for (const { id } of prefix.slice(-operationsMax)) wanted.add(id);
  for (const order of orders) for (const { id } of order.slice(-LISTED_OPERATIONS_MAX)) wanted.add(id);
  const drawn = prefix.filter(({ id }) => wanted.has(id));
  const timeLine = new TimeLine(drawn, culprit, orders);
  const { width, ticks } = timeLine;
  const { lanes, tops, height } = stack(drawn);
  const topOf = (id: number): number => tops.get(id) ?? 0;
  const bars = drawn.map((operation): Bar<Input, Output> => {
    const { id, outcome } = operation;
    const left = timeLine.begin(id);
    const end = timeLine.end(id);
    const isOpen = end === undefined || outcome.kind === "unknown";
    const givenUpAt = outcome.kind === "unknown" ? end : undefined;
    const right = isOpen ? width : end;
    return { operation, left, width: right - left, top: topOf(id), height: BAR_HEIGHT, isOpen, givenUpAt };
  });
  const points = orders.map((_, i) =>
    timeLine.points(i).map(({ id, ordinal, x }) => ({ x, y: topOf(id) + BAR_HEIGHT / 2, ordinal })),
  );
  return { width, height, lanes, bars, ticks, points };
}

function stack(drawn: readonly Operation<unknown, unknown>[]): {
  readonly lanes: readonly Lane[];
  readonly tops: ReadonlyMap<number, number>;
  readonly height: number;
} {
  const lanes: Lane[] = [];
  const tops = new Map<number, number>();
  let height = 0;
  const clients = [...new Set(drawn.map(({ client }) => client))].sort((a, b) => (a < b ? -1 : 1));
  for (const client of clients) {
    const top = height;
    /** For each row, the rank at which it is free again. */
    const rows: number[] = [];
    for (const { id, invokedRank, endedRank } of drawn.filter((operation) => operation.client === client)) {
      const free = rows.findIndex((until) => until < invokedRank);
      const row = free === -1 ? rows.length : free;
      rows[row] = endedRank;
      tops.set(id, top + row * ROW_HEIGHT);
    }
    lanes.push({ client, top, height: rows.length * ROW_HEIGHT });
    height += rows.length * ROW_HEIGHT + LANE_GAP;
  }
  return { lanes, tops, height };
}
