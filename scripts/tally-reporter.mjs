/**
 * A vitest reporter that sends what became of the tests to the process that started vitest (test.mjs), which closes
 * with one line. A file that fails outside of its tests, and an error that no test caught, each count as one failure.
 */
export default class TallyReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") tally.passed++;
        else if (state === "skipped") tally.skipped++;
        else failedHere++;
      }
      if (failedHere === 0 && module.state() === "failed") failedHere = 1;
      tally.failed += failedHere;
    }
    process.send?.(tally);
  }
}
