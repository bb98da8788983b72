/** How often something rare was come by: a scenario that never meets it shows nothing about it. */
export class Coverage {
  readonly #counts = new Map<string, number>();

  count(what: string, times: number = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  /** By name, in alphabetical order. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
