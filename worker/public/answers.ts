/** What the public page's API answers, as schemas. */
import { z } from "zod";
import { CLIENTS } from "../domain/client-identity.ts";
import { requestIdSchema } from "../domain/ids.ts";
import { LIMIT_IDS } from "../domain/key-limits.ts";
import { PROTOCOL_IDS } from "../domain/protocol-id.ts";
import { redemptionSchema } from "../domain/quota-card.ts";
import { SERVICES } from "../domain/service.ts";
import { OUTCOMES } from "../domain/usage.ts";
import { VALIDITIES } from "./views.ts";

/** Epoch ms, where there is one. */
const time = z.number().nullable();
const tokens = z.object({
  input: z.number(),
  output: z.number(),
  cacheWrite5m: z.number(),
  cacheWrite1h: z.number(),
  cacheRead: z.number(),
  webSearches: z.number(),
});

export const keyCardAnswer = z
  .object({
    name: z.string(),
    hint: z.string(),
    validity: z.enum(VALIDITIES),
    createdAt: z.number(),
    activatedAt: time,
    activation: z.object({ amount: z.number(), unit: z.enum(["hours", "days"]) }).nullable(),
    expiresAt: time,
    lastUsedAt: time,
    permissions: z.array(z.enum(SERVICES)),
    clients: z.array(z.enum(CLIENTS)),
    userAgents: z.array(z.string()),
    allowedModels: z.array(z.string()),
    blockedModels: z.array(z.string()),
    rates: z.partialRecord(z.enum(SERVICES), z.number()),
    hardBudget: z.boolean(),
    concurrency: z.object({ limit: z.number(), active: z.number(), waiting: z.number() }),
    windowMinutes: z.number(),
    limits: z.array(
      z.object({
        id: z.enum(LIMIT_IDS),
        unit: z.enum(["requests", "tokens", "cost"]),
        limit: z.number(),
        used: z.number(),
        reserved: z.number(),
        resetAt: time,
      }),
    ),
    totals: z.object({ requests: z.number(), tokens: z.number(), cost: z.number() }),
    timeZone: z.string(),
  })
  .meta({ id: "KeyCard" });

const sums = z.object({
  requests: z.number(),
  failed: z.number(),
  unpriced: z.number(),
  tokens,
  cost: z.number(),
  totalTokens: z.number(),
  cacheHitShare: z.number().nullable(),
});

export const keyUsageAnswer = z
  .object({
    period: z.enum(["day", "week", "month", "all"]),
    from: z.number(),
    to: z.number(),
    timeZone: z.string(),
    totals: sums,
    models: z.array(sums.extend({ model: z.string() })),
    days: z.array(sums.extend({ day: z.string() })),
  })
  .meta({ id: "KeyUsage" });

export const keyRequestsAnswer = z.object({
  items: z.array(
    z.object({
      requestId: requestIdSchema,
      protocol: z.enum(PROTOCOL_IDS),
      model: z.string(),
      requestedModel: z.string(),
      stream: z.boolean(),
      status: z.number(),
      outcome: z.enum(OUTCOMES),
      estimated: z.boolean(),
      startedAt: z.number(),
      firstByteAt: time,
      endedAt: z.number(),
      tokens,
      cost: z.number(),
      error: z.string().nullable(),
    }),
  ),
  next: requestIdSchema.nullable(),
});

export const redeemedAnswer = redemptionSchema
  .pick({
    cost: true,
    time: true,
    costBefore: true,
    costAfter: true,
    expiresBefore: true,
    expiresAfter: true,
    redeemedAt: true,
  })
  .meta({ id: "Redeemed" });
