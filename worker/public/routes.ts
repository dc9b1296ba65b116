/** The public page's API: one key, shown to whoever holds it. No other origin may read it: there is no CORS. */
import { Hono, type Context, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { documented, withFact, type RouteFact } from "../api-document/route-facts.ts";
import { RelayError } from "../domain/errors.ts";
import { requestIdSchema } from "../domain/ids.ts";
import type { AppEnv } from "../relay/routes.ts";
import { findUsage } from "../storage/usage-list.ts";
import { keyCardAnswer, keyRequestsAnswer, keyUsageAnswer, redeemedAnswer } from "./answers.ts";
import { holderOf } from "./holder.ts";
import { redeem } from "./redeem.ts";
import { PERIODS, usageOf, type Period } from "./usage.ts";
import { keyCard, requestCard } from "./views.ts";

const periods = Object.keys(PERIODS) as Period[];
const usageSchema = z.object({ period: z.enum(periods).default("day") });
const requestsSchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  after: requestIdSchema.optional(),
});
const redeemSchema = z.strictObject({ code: z.string().max(100) });

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new RelayError("invalid_request", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
}

/** It is about one holder, and changes with every request. */
const answer = (context: Context<AppEnv>, value: object) =>
  context.json(value, 200, { "cache-control": "no-store" });

/** Larger than any code. */
const BODY_MAX = 1000;

async function bodyOf(context: Context<AppEnv>): Promise<unknown> {
  const text = await context.req.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new RelayError("invalid_request", "The body is not JSON.");
  }
}

/** Says something of a route, and does nothing: `holderOf` and `parsed` do, where a handler begins with them. */
const saying = (fact: RouteFact): MiddlewareHandler =>
  withFact(
    createMiddleware(async (_context, next) => {
      await next();
    }),
    fact,
  );
const needsKey = () => saying({ kind: "key" });
const takes = (kind: "body" | "query", schema: z.ZodType) => saying({ kind, schema });

const withBodyLimit = bodyLimit({
  maxSize: BODY_MAX,
  onError: () => {
    throw new RelayError("payload_too_large", "The body is larger than any code.");
  },
});

export const publicRoutes = new Hono<AppEnv>()
  .use(withBodyLimit)
  .get(
    "/key",
    needsKey(),
    documented(
      "Shows a key to its holder: what limits it, and how far that is used.",
      { 200: keyCardAnswer },
      ["rate_limited"],
    ),
    async (context) => {
      const holder = await holderOf(context);
      return answer(context, keyCard(holder, holder.timeZone, holder.ports.now()));
    },
  )
  .get(
    "/key/usage",
    needsKey(),
    documented("Shows a key's holder what it used, by model and by day.", { 200: keyUsageAnswer }, [
      "rate_limited",
    ]),
    takes("query", usageSchema),
    async (context) => {
      const holder = await holderOf(context);
      const { period } = parsed(usageSchema, context.req.query());
      return answer(context, await usageOf(holder, period));
    },
  )
  .get(
    "/key/requests",
    needsKey(),
    documented("Shows a key's holder its last requests.", { 200: keyRequestsAnswer }, ["rate_limited"]),
    takes("query", requestsSchema),
    async (context) => {
      const holder = await holderOf(context);
      const page = { ...parsed(requestsSchema, context.req.query()), sort: "newest", offset: 0 } as const;
      const filter = { keyId: holder.key.id, accountId: undefined, model: undefined, protocol: undefined };
      const times = { outcome: undefined, from: undefined, to: undefined };
      const found = await findUsage(
        holder.ports.env.DB,
        { ...filter, ...times },
        { ...page, after: page.after },
      );
      return answer(context, { items: found.items.map(requestCard), next: found.next });
    },
  )
  .post(
    "/key/redeem",
    needsKey(),
    documented("Redeems a quota card for a key.", { 200: redeemedAnswer }, [
      "rate_limited",
      "not_found",
      "conflict",
      "permission_denied",
    ]),
    takes("body", redeemSchema),
    async (context) => {
      const holder = await holderOf(context);
      const { code } = parsed(redeemSchema, await bodyOf(context));
      return answer(context, await redeem(holder, code));
    },
  );
