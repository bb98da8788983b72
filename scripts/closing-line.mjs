/**
 * The last line of whatever tests something here: `N passed, N failed, N skipped`, alone on its line.
 * @typedef {{ passed: number, failed: number, skipped: number }} Tally
 */

/** @param {Tally} tally */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * @param {readonly Tally[]} tallies
 * @returns {Tally}
 */
export function sum(tallies) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const tally of tallies) {
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped;
  }
  return total;
}

/**
 * Prints the closing line.
 * @param {Tally} tally
 * @returns {number} the exit code that goes with it: to have run nothing is a failure too
 */
export function close(tally) {
  console.log(`\n${closingLine(tally)}`);
  return tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}
