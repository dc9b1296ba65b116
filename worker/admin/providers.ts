/** What kinds of account there are, and the form of each. */
import { Hono } from "hono";
import { PROVIDERS } from "../providers/index.ts";
import { formOf } from "./account-form.ts";
import { providersAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import type { AdminEnv } from "./context.ts";

const items = [...PROVIDERS.values()].map(formOf);

export const providerRoutes = new Hono<AdminEnv>().get(
  "/",
  documented("What kinds of account there are, and the form of each one's account and credential.", {
    200: providersAnswer,
  }),
  (context) => context.json({ items }),
);
