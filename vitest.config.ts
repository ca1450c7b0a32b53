/** Where tests run: pure ones in Node, those of the platform shells in workerd, those that start processes afterwards, two at a time. */
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";

/** What the tests' requests carry. */
const TOKEN = "test-token";
const ADMIN_TOKEN = "admin-token";
/** Static keys: `tgk_` and the name. */
const KEYS = JSON.stringify(
  [
    { name: "alice", tenant: "acme" },
    { name: "bob", tenant: "acme" },
    { name: "carol", tenant: "globex" },
    { name: "dave" },
  ].map((key) => ({ ...key, sha256: createHash("sha256").update(`tgk_${key.name}`).digest("hex") })),
);
const ELSEWHERE = [
  "tests/workerd/**",
  "tests/traps/**",
  "tests/kill/**",
  "tests/deploy/**",
  "tests/package/**",
  "tests/browser/**",
];

/** What the engine reports of functions that fail on purpose: thousands of lines that nobody reads. */
const EXPECTED_REPORTS =
  /^\{\s*message: \S*?['"`](?:#?\w+(?:\.[\w-]+)+ on \\?".*\\?" failed|refused a frame|partition \S+ (?:starts over|does not serve)|tidegate: unexpected error at the edge.*(?:Application called abortAll|the trap in place of))/s;

/** Stands in for a collector of traces: what was sent there can be asked for. */
const COLLECTOR = "http://collector.example";
const collected: { token: string | null; body: unknown }[] = [];
async function collect(request: CollectedRequest): Promise<Response> {
  if (request.method === "POST" && request.url === `${COLLECTOR}/v1/traces`) {
    collected.push({ token: request.headers.get("x-collector-token"), body: await request.json() });
    return Response.json({});
  }
  if (request.url === `${COLLECTOR}/collected`) return Response.json(collected);
  return new Response("tests reach nothing else", { status: 502 });
}
type CollectedRequest = Pick<Request, "method" | "url" | "json"> & { headers: { get(name: string): string | null } };

function processes(name: string, groupOrder: number) {
  return {
    test: {
      name,
      include: [`tests/${name}/**/*.test.ts`],
      environment: "node" as const,
      maxWorkers: 2,
      sequence: { groupOrder },
      testTimeout: 150_000,
      hookTimeout: 60_000,
    },
  };
}

function workerd(name: string, groupOrder: number, plugins: Plugin[] = []) {
  const app = cloudflareTest({
    wrangler: { configPath: "./tests/app/wrangler.jsonc" },
    miniflare: {
      bindings: {
        TIDEGATE_TOKEN: TOKEN,
        TIDEGATE_ADMIN_TOKEN: ADMIN_TOKEN,
        TIDEGATE_KEYS: KEYS,
        HOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        OTEL_EXPORTER_OTLP_ENDPOINT: COLLECTOR,
        OTEL_EXPORTER_OTLP_HEADERS: "x-collector-token=a%20secret",
        OTEL_SERVICE_NAME: "tests",
      },
      outboundService: collect,
    },
  });
  return {
    plugins: [...plugins, app],
    test: { name, include: [`tests/${name}/**/*.test.ts`], sequence: { groupOrder }, testTimeout: 60_000 },
  };
}

/** Gives everybody the traps who asks for the kernels, but the traps themselves. */
function trapKernels(): Plugin {
  const traps = join(dirname(fileURLToPath(import.meta.url)), "tests/traps/trap-kernels.ts");
  return {
    name: "trap-kernels",
    enforce: "pre",
    resolveId: (source, importer) =>
      source.endsWith("/core-wasm/facade/kernels.ts") && importer !== traps ? traps : undefined,
  };
}

export default defineConfig({
  test: {
    // Tests abort objects for this reason, and so does the pool: what such an object had under way is nobody's to handle.
    onUnhandledError: ({ message }) => message !== "Instance dispose",
    // Most tests of workerd wait for most of their time: with one for each core the cores would idle.
    maxWorkers: 3,
    maxConcurrency: 2,
    // Vitest's cache keeps what it made of an import while the core was not built, and fails ever after.
    fsModuleCache: false,
    onConsoleLog: (log) => !EXPECTED_REPORTS.test(log),
    projects: [
      {
        test: {
          name: "node",
          // As many as there are cores: they wait for nothing but each other.
          maxWorkers: "100%",
          include: ["tests/**/*.test.ts"],
          exclude: ELSEWHERE,
          environment: "node",
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
        },
      },
      workerd("workerd", 1),
      workerd("traps", 2, [trapKernels()]),
      processes("deploy", 3),
      processes("package", 3),
      processes("kill", 3),
      processes("browser", 3),
    ],
  },
});
