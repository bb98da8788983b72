/** What happens rarely, and decides much: counted, and a moment for faults to come. */
export type Mark =
  | "elections won"
  | "votes asked for"
  | "votes given"
  | "appends rejected"
  | "conflicting entries replaced"
  | "entries made durable"
  | "snapshots taken"
  | "snapshots sent"
  | "snapshots received"
  | "snapshots restored"
  | "leadership transfers"
  | "configuration changes"
  | "joint configurations"
  | "members added"
  | "members removed"
  | "members wiped"
  | "wiped members back"
  | "membership changes made"
  | "membership changes refused"
  | "proposals refused"
  | "commands repeated"
  | "commands given up"
  | "commands of expired sessions"
  | "sessions expired"
  | "torn writes dropped"
  | "disks compared"
  | "truces"
  | "disks full"
  | "members repaired exactly"
  | "members repaired from a leader's log";

/** How often something rare was come by: a scenario that never meets it shows nothing about it. */
export class Coverage {
  readonly #counts = new Map<Mark, number>();
  readonly #waiting = new Map<Mark, ((where: string) => void)[]>();

  /** `where`: the member that it happened to. */
  count(mark: Mark, where: string = ""): void {
    this.#counts.set(mark, (this.#counts.get(mark) ?? 0) + 1);
    const waiting = this.#waiting.get(mark);
    if (waiting === undefined) return;
    this.#waiting.delete(mark);
    for (const wake of waiting) wake(where);
  }

  /** Calls once, when the mark is come by next; with the name of the member that came by it. */
  onNext(mark: Mark, wake: (where: string) => void): void {
    const waiting = this.#waiting.get(mark);
    if (waiting === undefined) this.#waiting.set(mark, [wake]);
    else waiting.push(wake);
  }

  /** By name, in alphabetical order. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
