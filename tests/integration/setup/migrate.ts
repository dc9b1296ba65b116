/** Gives every test file its own migrated database; storage is isolated per file. */
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type {} from "./provided.ts";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the types of `env` are open for merging only there.
  namespace Cloudflare {
    interface Env {
      readonly TEST_MIGRATIONS: D1Migration[];
      readonly TEST_UPSTREAM_URL: string;
      readonly TEST_PROXY_LAB_URL: string;
      readonly TEST_RECEIVERS_URL: string;
      readonly TEST_IDENTITY_LAB_URL: string;
      readonly TEST_HAS_DIRECTORY: string;
      readonly TEST_PRICES_URL: string;
    }
  }
}

await applyD1Migrations((env as unknown as { readonly DB: D1Database }).DB, env.TEST_MIGRATIONS);
