import type { Verdict } from "./segment-anatomy.js";

/** What was damaged, how often, and what became of it; and what was not as specified. */
export class DamageTable {
  /** The first few. */
  readonly wrong: string[] = [];
  readonly #counts = new Map<string, Map<string, number>>();

  add({ region, outcome: expected }: Verdict, outcome: string, what: string): void {
    const row = this.#counts.get(region) ?? new Map<string, number>();
    this.#counts.set(region, row);
    row.set(outcome, (row.get(outcome) ?? 0) + 1);
    if (outcome !== expected && this.wrong.length < 10) this.wrong.push(`${what}: ${outcome}, not ${expected}`);
  }

  summary(what: string): string {
    let total = 0;
    const lines = [...this.#counts].map(([region, row]) => {
      for (const count of row.values()) total += count;
      return `  ${region.padEnd(44)} ${[...row].map(([outcome, count]) => `${count} ${outcome}`).join(", ")}`;
    });
    return [`${total} ${what}:`, ...lines].join("\n");
  }
}
