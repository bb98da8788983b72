import type { CompletedOperation, Operation } from "./operation.js";

/** Pixels between two events that follow each other: never so near that a bar can't be seen, nor so far that it is lost. */
const GAP_WIDTH_MIN = 26;
const GAP_WIDTH_MEDIAN = 44;
const GAP_WIDTH_MAX = 130;
/** Room for one point of an order. */
const POINT_WIDTH = 20;

/** An operation's place in an order, and the gap between two events in which it can have taken effect. */
interface Effect {
  readonly id: number;
  /** From 1. */
  readonly ordinal: number;
  /** The index of the event before it. */
  readonly gap: number;
}

/** Something that has a place of its own: an invocation, an answer, a client that gives up. */
interface Event {
  readonly id: number;
  readonly isEnd: boolean;
  readonly at: number;
  readonly rank: number;
}

/**
 * Where things lie from left to right: events in their order, up to the answer that can't be. Distances follow time, but
 * neither vanish nor run away.
 */
export class TimeLine {
  readonly width: number;
  readonly ticks: readonly { readonly x: number; readonly at: number }[];
  readonly #xs: readonly number[];
  readonly #begins = new Map<number, number>();
  readonly #ends = new Map<number, number>();
  readonly #effects: readonly (readonly Effect[])[];

  /** `orders`: partial linearizations that there must be room for. */
  constructor(
    drawn: readonly Operation<unknown, unknown>[],
    last: CompletedOperation<unknown, unknown>,
    orders: readonly (readonly Operation<unknown, unknown>[])[],
  ) {
    const events = eventsOf(drawn, last);
    for (const [index, { id, isEnd }] of events.entries()) (isEnd ? this.#ends : this.#begins).set(id, index);
    this.#effects = orders.map((order) => this.#effectsOf(order));
    this.#xs = placesOf(events, this.#effects);
    this.width = (this.#xs.at(-1) ?? 0) + GAP_WIDTH_MIN;
    this.ticks = events.map(({ at }, i) => ({ x: this.#xs[i] ?? 0, at }));
  }

  begin(id: number): number {
    return this.#xs[this.#begins.get(id) ?? 0] ?? 0;
  }

  /** Undefined: beyond the line's end, or never. */
  end(id: number): number | undefined {
    const index = this.#ends.get(id);
    return index === undefined ? undefined : this.#xs[index];
  }

  /** The places at which operations take effect in one of the orders. Those of one gap share it evenly. */
  points(order: number): { readonly id: number; readonly ordinal: number; readonly x: number }[] {
    const effects = this.#effects[order] ?? [];
    const counts = countByGap(effects);
    let [gapBefore, inGap] = [-1, 0];
    return effects.map(({ id, ordinal, gap }) => {
      inGap = gap === gapBefore ? inGap + 1 : 1;
      gapBefore = gap;
      const from = this.#xs[gap] ?? 0;
      const to = this.#xs[gap + 1] ?? this.width;
      return { id, ordinal, x: from + ((to - from) * inGap) / ((counts.get(gap) ?? 0) + 1) };
    });
  }

  /** Each takes effect as soon as it and all before it were invoked, which is before any of them ended. */
  #effectsOf(order: readonly Operation<unknown, unknown>[]): Effect[] {
    let gap = 0;
    return order.flatMap(({ id }, i) => {
      const begin = this.#begins.get(id);
      if (begin === undefined) return [];
      gap = Math.max(gap, begin);
      return [{ id, ordinal: i + 1, gap }];
    });
  }
}

function eventsOf(
  drawn: readonly Operation<unknown, unknown>[],
  last: CompletedOperation<unknown, unknown>,
): readonly Event[] {
  const events = drawn.flatMap(({ id, invokedAt, endedAt, invokedRank, endedRank, outcome }): Event[] => {
    const begin = { id, isEnd: false, at: invokedAt, rank: invokedRank };
    // Giving up is no event of the history: it has a time, but no rank.
    const isBeyond = outcome.kind === "unknown" ? (endedAt ?? 0) >= (last.endedAt ?? 0) : endedRank > last.endedRank;
    return endedAt === undefined || isBeyond ? [begin] : [begin, { id, isEnd: true, at: endedAt, rank: endedRank }];
  });
  return events.sort((a, b) => a.at - b.at || (a.rank === b.rank ? 0 : a.rank - b.rank));
}

function placesOf(events: readonly Event[], orders: readonly (readonly Effect[])[]): number[] {
  const spans = events.slice(1).map(({ at }, i) => at - (events[i]?.at ?? at));
  const positive = spans.filter((span) => span > 0).sort((a, b) => a - b);
  const scale = GAP_WIDTH_MEDIAN / (positive[positive.length >>> 1] ?? 1);
  const widths = spans.map((span) => Math.min(Math.max(span * scale, GAP_WIDTH_MIN), GAP_WIDTH_MAX));
  for (const effects of orders) {
    for (const [gap, count] of countByGap(effects)) {
      const width = widths[gap];
      if (width !== undefined) widths[gap] = Math.max(width, POINT_WIDTH * (count + 1));
    }
  }
  let x = 0;
  return [0, ...widths.map((width) => (x += Math.round(width)))].slice(0, events.length);
}

function countByGap(effects: readonly Effect[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { gap } of effects) counts.set(gap, (counts.get(gap) ?? 0) + 1);
  return counts;
}
