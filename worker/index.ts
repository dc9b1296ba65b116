/** The worker's entry: the environment is parsed here, once, and everything else is mounted in `app.ts`. */
import { app } from "./app.ts";
import { anchorAudit } from "./cron/anchor-audit.ts";
import { auditUsageDaily } from "./cron/audit-usage.ts";
import { forgetOldRouting } from "./cron/forget-routing.ts";
import { rebuildSnapshots } from "./cron/rebuild-snapshots.ts";
import { retireRecords } from "./cron/retire-records.ts";
import { forgetOldTries } from "./storage/login-attempts.ts";
import { BadEnvironment, parseEnv } from "./env.ts";

export { AccountObject } from "../durable-objects/account/object.ts";
export { KeyObject } from "../durable-objects/key/object.ts";

function badEnvironment(error: BadEnvironment): Response {
  console.error(JSON.stringify({ event: "bad_environment", message: error.message }));
  const body = {
    error: { code: "BAD_ENVIRONMENT", message: "The relay is not set up completely: see its log." },
  };
  return Response.json(body, { status: 500 });
}

export default {
  fetch(request, rawEnv, ctx) {
    try {
      return app.fetch(request, parseEnv(rawEnv), ctx);
    } catch (error) {
      if (error instanceof BadEnvironment) return badEnvironment(error);
      throw error;
    }
  },
  async scheduled(_controller, rawEnv) {
    const env = parseEnv(rawEnv);
    await rebuildSnapshots(env);
    await forgetOldRouting(env, Date.now());
    await forgetOldTries(env.DB, Date.now());
    await anchorAudit(env, Date.now());
    await auditUsageDaily(env, Date.now());
    await retireRecords(env, Date.now());
  },
} satisfies ExportedHandler<Cloudflare.Env>;
