import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const worker = cloudflareTest({
  wrangler: { configPath: "./wrangler.jsonc" },
  miniflare: { bindings: { TIDEGATE_TOKEN: "test-token" } },
});

export default defineConfig({
  test: {
    projects: [
      // In this process, with simulated objects, network and time.
      { test: { name: "simulated", include: ["test/simulated/**/*.test.ts"] } },
      // In workerd, as it is deployed.
      { plugins: [worker], test: { name: "worker", include: ["test/worker/**/*.test.ts"] } },
    ],
  },
});
