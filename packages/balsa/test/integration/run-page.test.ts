import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawRun, drawScenario, keyValueWorkload, type Profile, profiles, runScenario } from "../../src/trial/index.js";
import { findBrowser } from "./find-browser.js";

const browser = findBrowser();
const profile = profiles.get("short") as Profile;

/** What somebody would do: zooms out, takes heartbeats away, looks for a leader, and steps on. */
const USE = `<script>
const seen = document.documentElement.dataset, text = document.querySelector("input.text");
const count = (what) => String(document.querySelectorAll(what).length);
document.querySelector(".all").click();
seen.standings = count(".view .standing");
for (const box of document.querySelectorAll("[data-kind]")) if (box.dataset.kind !== "state") box.click();
seen.messages = count(".view .message");
text.value = "leader";
text.dispatchEvent(new Event("input"));
seen.listed = count(".events li");
document.querySelector('[data-step="1"]').click();
seen.at = document.querySelector(".events .now").textContent;
seen.leads = document.querySelector("tbody").textContent;
</script></body>`;

/** The page's elements as they are once its scripts have run. */
function render(command: string, page: string): string {
  const dir = mkdtempSync(join(tmpdir(), "balsa-page-"));
  try {
    const file = join(dir, "run.html");
    writeFileSync(file, page);
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${dir}/profile`];
    return execFileSync(command, [...args, "--dump-dom", `file://${file}`], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 60_000,
      maxBuffer: 2 ** 26,
    });
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

test.skipIf(browser === undefined)("a browser draws the page of a run, and steps through it", async () => {
  if (browser === undefined) return;
  const scenario = drawScenario("drawn", { ...profile, members: [3], durationMs: 3_000 }, keyValueWorkload);
  const report = await runScenario(scenario, keyValueWorkload, { keepTrace: true });
  const drawn = render(
    browser,
    drawRun(scenario, report).replace("</body>", () => USE),
  );
  const [root = ""] = /<html[^>]*>/.exec(drawn) ?? [];
  const seen = (name: string): string => new RegExp(`data-${name}="([^"]*)"`).exec(root)?.[1] ?? "";
  expect(seen("drawn")).toBe("yes");
  expect(Number(seen("standings"))).toBeGreaterThan(5);
  expect(seen("messages")).toBe("0");
  expect(Number(seen("listed"))).toBeGreaterThan(0);
  expect(seen("at")).toContain("leader, term");
  expect(seen("leads")).toMatch(/m[123]leader/);
});
