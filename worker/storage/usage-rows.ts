/** A row of the ledger as the admin API shows it. */
import { z } from "zod";
import { PROTOCOL_IDS } from "../domain/protocol-id.ts";
import { OUTCOMES, type UsageRecord, type UsageView } from "../domain/usage.ts";

const rowSchema = z.object({
  request_id: z.string(),
  key_id: z.string(),
  account_id: z.string().nullable(),
  provider: z.string().nullable(),
  protocol: z.enum(PROTOCOL_IDS),
  model: z.string(),
  requested_model: z.string(),
  stream: z.number(),
  status: z.number(),
  outcome: z.enum(OUTCOMES),
  estimated: z.number(),
  started_at: z.number(),
  first_byte_at: z.number().nullable(),
  ended_at: z.number(),
  attempts: z.number(),
  input: z.number(),
  output: z.number(),
  cache_write_5m: z.number(),
  cache_write_1h: z.number(),
  cache_read: z.number(),
  web_searches: z.number(),
  service_tier: z.string().nullable(),
  speed: z.string().nullable(),
  cost: z.number(),
  price_version: z.string().nullable(),
  error: z.string().nullable(),
  key_name: z.string().nullable(),
  account_name: z.string().nullable(),
});

export const SELECT_VIEWS = `
  SELECT u.*, k.name AS key_name, a.name AS account_name FROM usage_record u
  LEFT JOIN relay_key k ON k.id = u.key_id LEFT JOIN account a ON a.id = u.account_id`;

export const toView = (value: unknown): UsageView => {
  const row = rowSchema.parse(value);
  return {
    requestId: row.request_id as UsageRecord["requestId"],
    keyId: row.key_id as UsageRecord["keyId"],
    accountId: row.account_id as UsageRecord["accountId"],
    provider: row.provider,
    protocol: row.protocol,
    model: row.model,
    requestedModel: row.requested_model,
    stream: row.stream === 1,
    status: row.status,
    outcome: row.outcome,
    estimated: row.estimated === 1,
    startedAt: row.started_at,
    firstByteAt: row.first_byte_at,
    endedAt: row.ended_at,
    attempts: row.attempts,
    tokens: {
      input: row.input,
      output: row.output,
      cacheWrite5m: row.cache_write_5m,
      cacheWrite1h: row.cache_write_1h,
      cacheRead: row.cache_read,
      webSearches: row.web_searches,
    },
    serviceTier: row.service_tier,
    speed: row.speed,
    cost: row.cost,
    priceVersion: row.price_version,
    error: row.error,
    keyName: row.key_name,
    accountName: row.account_name,
  };
};
