/** What happens rarely, and decides much: counted, and a moment for faults to come. */
export const MARKS = [
  "elections won",
  "votes asked for",
  "votes given",
  "appends rejected",
  "conflicting entries replaced",
  "entries made durable",
  "snapshots taken",
  "snapshots sent",
  "snapshots received",
  "snapshots restored",
  "leadership transfers",
  "configuration changes",
  "joint configurations",
  "members added",
  "members removed",
  "members wiped",
  "members beyond repair",
  "wiped members back",
  "membership changes made",
  "membership changes refused",
  "proposals refused",
  "commands repeated",
  "commands given up",
  "commands of expired sessions",
  "sessions expired",
  "torn writes dropped",
  "disks compared",
  "truces",
  "truces led",
  "disks full",
  "members repaired exactly",
  "members repaired from a leader's log",
] as const;

export type Mark = (typeof MARKS)[number];

interface Marked {
  count: number;
  /** To be called when it is come by next. */
  waiting: ((where: string) => void)[] | undefined;
}

/** How often something rare was come by: a scenario that never meets it shows nothing about it. */
export class Coverage {
  readonly #marks = new Map<Mark, Marked>();

  /** `where`: the member that it happened to. */
  count(mark: Mark, where: string = ""): void {
    const marked = this.#of(mark);
    marked.count += 1;
    const { waiting } = marked;
    if (waiting === undefined) return;
    marked.waiting = undefined;
    for (const wake of waiting) wake(where);
  }

  /** Calls once, when the mark is come by next; with the name of the member that came by it. */
  onNext(mark: Mark, wake: (where: string) => void): void {
    const marked = this.#of(mark);
    if (marked.waiting === undefined) marked.waiting = [wake];
    else marked.waiting.push(wake);
  }

  /** By name, in alphabetical order. */
  get counts(): Readonly<Record<string, number>> {
    const counted = [...this.#marks].filter(([, { count }]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(counted.map(([mark, { count }]) => [mark, count]));
  }

  #of(mark: Mark): Marked {
    const known = this.#marks.get(mark);
    if (known !== undefined) return known;
    const marked: Marked = { count: 0, waiting: undefined };
    this.#marks.set(mark, marked);
    return marked;
  }
}
