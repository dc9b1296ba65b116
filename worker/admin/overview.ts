/** Today at a glance. */
import { Hono } from "hono";
import { dayOf } from "../domain/calendar.ts";
import { countKeys } from "../storage/keys.ts";
import { daySum, HOUR_MS, hourSums } from "../storage/rollups.ts";
import { countAccounts } from "./account-counts.ts";
import { overviewAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import type { AdminEnv } from "./context.ts";

const HOURS = 24;

export const overviewRoutes = new Hono<AdminEnv>().get(
  "/",
  documented("Today at a glance.", { 200: overviewAnswer }),
  async (context) => {
    const { env } = context;
    const now = Date.now();
    const [today, hours, accounts, keys] = await Promise.all([
      daySum(env.DB, dayOf(now, context.get("settings").timeZone)),
      hourSums(env.DB, Math.floor(now / HOUR_MS) * HOUR_MS, HOURS),
      countAccounts(env),
      countKeys(env.DB),
    ]);
    return context.json({ today, hours, accounts, keys });
  },
);
