/** The worker's entry: the environment is parsed here, once, and everything else is mounted in `app.ts`. */
import { app } from "./app.ts";
import { anchorAudit } from "./cron/anchor-audit.ts";
import { auditUsageDaily } from "./cron/audit-usage.ts";
import { tellOfYesterday } from "./cron/daily-summary.ts";
import { emptyBin, forgetOldTexts, tellKeys } from "./cron/finish-keys.ts";
import { forgetOldRouting } from "./cron/forget-routing.ts";
import { rebuildSnapshots } from "./cron/rebuild-snapshots.ts";
import { remindOfExpiry } from "./cron/remind-of-expiry.ts";
import { retireRecords } from "./cron/retire-records.ts";
import { forgetOldTries } from "./storage/login-attempts.ts";
import { BadEnvironment, parseEnv, type Env } from "./env.ts";
import { refreshPricesDaily } from "./cron/refresh-prices.ts";
import { resealSome } from "./keyring/reseal.ts";
import { systemError } from "./notify/system-error.ts";
import { tell } from "./notify/tell.ts";

export { AccountObject } from "../durable-objects/account/object.ts";
export { CaptureObject } from "../durable-objects/capture/object.ts";
export { FeedObject } from "../durable-objects/feed/object.ts";
export { KeyObject } from "../durable-objects/key/object.ts";
export { NotifierObject } from "../durable-objects/notifier/object.ts";
export { ProxyObject } from "../durable-objects/proxy/object.ts";

function badEnvironment(error: BadEnvironment): Response {
  console.error(JSON.stringify({ event: "bad_environment", message: error.message }));
  const body = {
    error: { code: "BAD_ENVIRONMENT", message: "The relay is not set up completely: see its log." },
  };
  return Response.json(body, { status: 500 });
}

/** What is done every five minutes, by its name in messages. */
const JOBS: readonly (readonly [string, (env: Env, now: number) => Promise<unknown>])[] = [
  ["telling keys what was changed of them", tellKeys],
  ["rebuilding the snapshots", rebuildSnapshots],
  ["forgetting key texts that have ended", forgetOldTexts],
  ["emptying the bin", emptyBin],
  ["forgetting old routing", forgetOldRouting],
  ["forgetting old tries to sign in", (env, now) => forgetOldTries(env.DB, now)],
  ["noting how far the audit log is", anchorAudit],
  ["comparing sums with records", auditUsageDaily],
  ["sealing with the newest key", resealSome],
  ["retiring old records", retireRecords],
  ["the daily summary", tellOfYesterday],
  ["reminding of what expires", remindOfExpiry],
  ["refreshing the prices", refreshPricesDaily],
];

/** One job's failure is no other's; the run fails in the end, so that Cloudflare shows it. */
async function runJobs(env: Env, now: number): Promise<void> {
  const errors: unknown[] = [];
  for (const [name, job] of JOBS) {
    try {
      await job(env, now);
    } catch (error) {
      errors.push(error);
      await tell(env, [systemError(`the job "${name}"`, [], now)]);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, "scheduled jobs failed");
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
    await runJobs(parseEnv(rawEnv), Date.now());
  },
} satisfies ExportedHandler<Cloudflare.Env>;
