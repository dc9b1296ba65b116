/** The three test projects, run one after the other: `unit` (Node), `integration` (inside workerd), `e2e` (processes). */
import { defineConfig } from "vitest/config";
import { trustTestAuthority } from "./tests/proxies/trust.ts";

// Miniflare reads at its loading whom workerd is to trust.
await trustTestAuthority();
const { cloudflareTest, readD1Migrations } = await import("@cloudflare/vitest-plugin");

/** Test values only; the keys are 32 bytes of the letter "t" and, the older one, of "o". */
const TEST_SECRETS = {
  ENCRYPTION_KEYS:
    "test1:dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=,test0:b29vb29vb29vb29vb29vb29vb29vb29vb29vb29vb28=",
  SESSION_SECRET: "session-secret-of-the-integration-tests",
  ADMIN_USERNAME: "admin",
  ADMIN_PASSWORD: "password-of-the-integration-tests",
  ALLOW_PRIVATE_UPSTREAMS: "true",
  GEMINI_OAUTH_CLIENT_SECRET: "secret-of-the-public-client",
};

/** Short, so that tests of time limits take moments; long enough that nothing else runs into them. */
const TEST_LIMITS = {
  HEADERS_TIMEOUT_MS: "1500",
  ANSWER_TIMEOUT_MS: "1500",
  IDLE_TIMEOUT_MS: "3500",
  HEARTBEAT_MS: "900",
  QUEUE_TIMEOUT_MS: "700",
  SESSION_PATIENCE_MS: "300",
  HOLD_BACK_MS: "400",
  BODY_BYTES_MAX: "2000000",
};

/** Starting wrangler, workerd and Chromium on two busy cores takes seconds, not milliseconds. */
const E2E_TEST_TIMEOUT_MS = 120_000;
const E2E_HOOK_TIMEOUT_MS = 180_000;

/** A property of a thousand cases, or a look at a password, takes seconds where other work runs beside it. */
const TEST_TIMEOUT_MS = 20_000;

/** Vitest would use all cores but one; on a small machine that is half of them. */
const WORKERS_MAX = 2;

export default defineConfig({
  test: {
    passWithNoTests: true,
    // An error that a Durable Object throws is reported once more as unhandled, although its caller caught it.
    onUnhandledError: (error) => !("remote" in error && error["remote"] === true),
    projects: [
      {
        test: {
          name: "unit",
          environment: "node",
          include: [
            "{worker,durable-objects,egress,scripts,admin/src}/**/*.test.ts",
            "tests/{upstream,architecture,sim}/**/*.test.ts",
          ],
          // Units are pure, so files can share a worker; starting one for each file would take longer than the tests.
          pool: "threads",
          isolate: false,
          testTimeout: TEST_TIMEOUT_MS,
          maxWorkers: WORKERS_MAX,
          sequence: { groupOrder: 1 },
        },
      },
      {
        plugins: [
          cloudflareTest(async ({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              r2Buckets: ["TEST_ARCHIVE"],
              bindings: {
                ...TEST_SECRETS,
                ...TEST_LIMITS,
                TEST_MIGRATIONS: await readD1Migrations("migrations"),
                TEST_UPSTREAM_URL: inject("upstreamUrl"),
                TEST_PROXY_LAB_URL: inject("proxyLabUrl"),
                TEST_RECEIVERS_URL: inject("receiversUrl"),
                TEST_IDENTITY_LAB_URL: inject("identityLabUrl"),
                TEST_HAS_DIRECTORY: inject("hasDirectory"),
                TEST_PRICES_URL: inject("pricesUrl"),
                // Nobody is there: a test that fetches prices says from where.
                PRICES_URL: "http://127.0.0.1:9/data.json",
              },
            },
          })),
        ],
        test: {
          name: "integration",
          include: ["tests/integration/**/*.test.ts"],
          globalSetup: ["tests/integration/setup/global.ts"],
          setupFiles: ["tests/integration/setup/migrate.ts"],
          testTimeout: TEST_TIMEOUT_MS,
          maxWorkers: WORKERS_MAX,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e",
          environment: "node",
          include: ["tests/e2e/**/*.test.ts"],
          testTimeout: E2E_TEST_TIMEOUT_MS,
          hookTimeout: E2E_HOOK_TIMEOUT_MS,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
