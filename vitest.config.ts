/** Where tests run: pure ones in Node, those of the platform shells in workerd, those that start processes afterwards and one by one. */
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** What the tests' requests carry. */
const TOKEN = "test-token";
const ELSEWHERE = ["tests/workerd/**", "tests/kill/**", "tests/deploy/**"];

function processes(name: string, groupOrder: number) {
  return {
    test: {
      name,
      include: [`tests/${name}/**/*.test.ts`],
      environment: "node" as const,
      fileParallelism: false,
      sequence: { groupOrder },
      testTimeout: 150_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  test: {
    // Vitest's cache keeps what it made of an import while the core was not built, and fails ever after.
    fsModuleCache: false,
    projects: [
      {
        test: {
          name: "node",
          include: ["tests/**/*.test.ts"],
          exclude: ELSEWHERE,
          environment: "node",
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./tests/app/wrangler.jsonc" },
            miniflare: { bindings: { TIDEGATE_TOKEN: TOKEN } },
          }),
        ],
        test: {
          name: "workerd",
          include: ["tests/workerd/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
        },
      },
      processes("deploy", 2),
      processes("kill", 3),
    ],
  },
});
