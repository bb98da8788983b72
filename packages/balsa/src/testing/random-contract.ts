import type { Random } from "../platform/index.js";
import type { ContractCase } from "./contract-case.js";
import { expectEqual, expectTrue } from "./expectation.js";

const TWO_53 = 2 ** 53;

function draws(random: Random, bound: number, count: number): number[] {
  return Array.from({ length: count }, () => random.below(bound));
}

/** What `Random` promises. */
export const randomContract: readonly ContractCase<Random>[] = [
  {
    name: "a number below a bound is an integer in [0, bound)",
    async run(random) {
      for (const bound of [1, 2, 3, 10, 1000, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, TWO_53]) {
        for (const drawn of draws(random, bound, 200)) {
          expectTrue(Number.isSafeInteger(drawn) && drawn >= 0 && drawn < bound, `${drawn} is not below ${bound}`);
        }
      }
    },
  },
  {
    name: "below 1 there is only 0",
    async run(random) {
      expectEqual(draws(random, 1, 5), [0, 0, 0, 0, 0], "draws below 1");
    },
  },
  {
    name: "every number below a small bound comes up, about equally often",
    async run(random) {
      const counts = [0, 0, 0, 0, 0, 0, 0];
      for (const drawn of draws(random, 7, 7000)) counts[drawn] = (counts[drawn] ?? 0) + 1;
      // 1,000 expected, standard deviation 29: eight of them is less likely than a broken machine.
      for (const count of counts) expectTrue(count > 760 && count < 1240, `unequal counts: ${counts.join(" ")}`);
    },
  },
  {
    name: "large bounds use all their bits: halves and low bits even out",
    async run(random) {
      for (const bound of [2 ** 40, 2 ** 52, TWO_53]) {
        const drawn = draws(random, bound, 2000);
        // 1,000 expected, standard deviation 22.
        const upper = drawn.filter((value) => value >= bound / 2).length;
        const odd = drawn.filter((value) => value % 2 === 1).length;
        expectTrue(upper > 820 && upper < 1180, `${upper} of 2000 in the upper half below ${bound}`);
        expectTrue(odd > 820 && odd < 1180, `${odd} of 2000 odd below ${bound}`);
      }
    },
  },
  {
    name: "a bound that is not an integer in [1, 2^53] is refused",
    async run(random) {
      for (const bound of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, TWO_53 * 2]) {
        let isRefused = false;
        try {
          random.below(bound);
        } catch {
          isRefused = true;
        }
        expectTrue(isRefused, `the bound ${bound} must be refused`);
      }
    },
  },
];
