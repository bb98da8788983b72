import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const library = fileURLToPath(new URL("packages/balsa/src", import.meta.url));

/** Tests see the library's sources, not what was last built from them. */
const alias = [
  { find: /^balsa$/, replacement: `${library}/index.ts` },
  { find: /^balsa\/(.+)$/, replacement: `${library}/$1/index.ts` },
];

/** Tests that start real processes. They measure time and need the machine for themselves. */
const integration = ["{packages/*/,}test/integration/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["{packages/*/,}test/**/*.test.ts"],
          exclude: integration,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          maxWorkers: "100%",
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve: { alias },
        test: {
          name: "integration",
          include: integration,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
