/** One bundled worker in a workerd of its own, configured as wrangler.toml says, its database migrated. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_readConfig as readConfig, unstable_splitSqlQuery as splitSqlQuery } from "wrangler";
import { z } from "zod";
import { ROOT } from "../scripts/local/project.ts";
import { ADMIN } from "./admin.ts";

const NAME = "worker";

export interface Hosted {
  /** The folder of the bundled worker. */
  readonly bundle: string;
  /** Where it keeps its data. */
  readonly state: string;
  readonly upstream: string;
}

/** Values for a relay that only a loader on this machine can reach; the key is 32 bytes of the letter "t". */
const variables = (upstream: string) => ({
  ENCRYPTION_KEYS: "bench1:dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=",
  SESSION_SECRET: "session-secret-of-the-benchmark-run",
  ADMIN_USERNAME: ADMIN.username,
  ADMIN_PASSWORD: ADMIN.password,
  ALLOW_PRIVATE_UPSTREAMS: "true",
  UPSTREAM: upstream,
});

/** What of wrangler.toml decides how a worker runs. */
const configSchema = z.object({
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  kv_namespaces: z.array(z.object({ binding: z.string() })),
  d1_databases: z.array(z.object({ binding: z.string() })),
});

/** The bundle is named after its entry. */
const scriptIn = (folder: string): string => readdirSync(folder).find((file) => file.endsWith(".js")) ?? "";

/** The same for every worker, whatever of it the worker uses, so that Miniflare wraps them equally. */
function options({ bundle, state, upstream }: Hosted) {
  const config = configSchema.parse(readConfig({ config: join(ROOT, "wrangler.toml") }));
  return convertV4MiniflareOptions({
    cf: false,
    telemetry: { enabled: false },
    rootPath: bundle,
    resourcePersistencePath: state,
    workers: [
      {
        name: NAME,
        modules: true,
        modulesRoot: bundle,
        scriptPath: scriptIn(bundle),
        compatibilityDate: config.compatibility_date,
        compatibilityFlags: config.compatibility_flags,
        durableObjects: Object.fromEntries(
          config.durable_objects.bindings.map((each) => [
            each.name,
            { className: each.class_name, useSQLite: true },
          ]),
        ),
        kvNamespaces: config.kv_namespaces.map(({ binding }) => binding),
        d1Databases: config.d1_databases.map(({ binding }) => binding),
        bindings: variables(upstream),
        // Without Miniflare's own entry worker, which would cost as much as the worker behind it.
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
}

async function migrate(miniflare: Miniflare): Promise<void> {
  const database = await miniflare.getD1Database("DB");
  const folder = join(ROOT, "migrations");
  for (const file of readdirSync(folder).sort()) {
    const statements = splitSqlQuery(readFileSync(join(folder, file), "utf8"));
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
}

export async function startMiniflare(hosted: Hosted): Promise<{ miniflare: Miniflare; url: string }> {
  const miniflare = new Miniflare(options(hosted));
  await migrate(miniflare);
  const url = await miniflare.unsafeGetDirectURL(NAME);
  return { miniflare, url: url.origin };
}
