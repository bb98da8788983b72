import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { requirements } from "../../scripts/requirements/rows.mjs";
import { root } from "../../scripts/requirements/tracked.mjs";
import { render, table, testsById } from "../../scripts/requirements.mjs";

describe("requirements", () => {
  test("each has modules that exist and a test that names it, and no test names another", () => {
    const tests = testsById();
    const ids = requirements.map(({ id }) => id);
    expect(ids.filter((id) => !tests.has(id))).toEqual([]);
    expect([...tests.keys()].filter((id) => !ids.includes(id))).toEqual([]);
    const missing = requirements.flatMap(({ modules }) => modules).filter((path) => !existsSync(`${root}/${path}`));
    expect(missing).toEqual([]);
  });

  test("the table in docs/ is what the tests say today: `npm run requirements` writes it", () => {
    expect(readFileSync(`${root}/${table}`, "utf8")).toBe(render());
  });
});
