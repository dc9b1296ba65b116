/** Today at a glance. */
import { Hono } from "hono";
import type { AccountStatus } from "../domain/account.ts";
import { dayOf } from "../domain/calendar.ts";
import { listAccounts } from "../storage/accounts.ts";
import { listKeys } from "../storage/keys.ts";
import { daySum, HOUR_MS, hourSums } from "../storage/rollups.ts";
import type { AdminEnv } from "./context.ts";
import { accountObject } from "./objects.ts";

const HOURS = 24;
/** Accounts whose running state is asked for; more are counted, not asked. */
const ASKED_MAX = 200;
const KEYS_MAX = 10_000;

type Kind = AccountStatus["availability"]["kind"];

export const overviewRoutes = new Hono<AdminEnv>().get("/", async (context) => {
  const { env } = context;
  const now = Date.now();
  const [today, hours, accounts, keys] = await Promise.all([
    daySum(env.DB, dayOf(now, env.TIMEZONE)),
    hourSums(env.DB, Math.floor(now / HOUR_MS) * HOUR_MS, HOURS),
    listAccounts(env.DB),
    listKeys(env.DB, { limit: KEYS_MAX, offset: 0 }),
  ]);
  const asked = accounts.slice(0, ASKED_MAX).map(({ id }) => accountObject(env, id).status());
  const kinds = (await Promise.all(asked)).map((status): Kind => status?.availability.kind ?? "disabled");
  const count = (kind: Kind) => kinds.filter((each) => each === kind).length;
  return context.json({
    today,
    hours,
    accounts: {
      total: accounts.length,
      available: count("available"),
      full: count("full"),
      cooling: count("cooling"),
      disabled: count("disabled"),
    },
    keys: { total: keys.total, enabled: keys.items.filter(({ config }) => config.enabled).length },
  });
});
