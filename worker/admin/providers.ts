/** What kinds of account there are, and the form of each one's credential. */
import { Hono } from "hono";
import { z } from "zod";
import { PROVIDERS } from "../providers/index.ts";
import { providersAnswer } from "./answers.ts";
import { documented } from "./api-document/route-facts.ts";
import type { AdminEnv } from "./context.ts";

const items = [...PROVIDERS.values()].map(({ id, label, credentialSchema, needsBaseUrl, oauth, device }) => ({
  id,
  label,
  credential: z.toJSONSchema(credentialSchema, { io: "input", unrepresentable: "any" }),
  needsBaseUrl: needsBaseUrl === true,
  oauth: oauth !== undefined || device !== undefined,
}));

export const providerRoutes = new Hono<AdminEnv>().get(
  "/",
  documented("What kinds of account there are, and the form of each one's credential.", {
    200: providersAnswer,
  }),
  (context) => context.json({ items }),
);
