/** Randomness, as everything above the platform sees it. */
export interface Random {
  /** An integer in [0, bound), 1 ≤ bound ≤ 2^53. */
  below(bound: number): number;
}
