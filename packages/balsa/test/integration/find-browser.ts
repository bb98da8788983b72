import { execFileSync } from "node:child_process";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome"];

/** The command of one that is there, or undefined. */
export function findBrowser(): string | undefined {
  return BROWSERS.find((name) => {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });
}
