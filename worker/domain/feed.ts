/** The live feed: what a watcher is sent while requests end. No content, no secret. Pure. */
import { z } from "zod";
import { accountIdSchema, keyIdSchema, personIdSchema, requestIdSchema } from "./ids.ts";
import { ROLES } from "./person.ts";
import type { KeyConfig } from "./key.ts";
import { totalTokens, type UsageRecord } from "./usage.ts";

/** A request that ended. */
export interface FeedEvent {
  readonly id: UsageRecord["requestId"];
  readonly keyId: UsageRecord["keyId"];
  readonly keyName: string;
  /** Whose key it is; null: nobody's. */
  readonly ownerId: string | null;
  readonly account: UsageRecord["accountId"];
  readonly model: string;
  readonly status: number;
  readonly outcome: UsageRecord["outcome"];
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
  /** Epoch ms. */
  readonly endedAt: number;
  readonly durationMs: number;
}

export const feedEventOf = (record: UsageRecord, key: Pick<KeyConfig, "name" | "ownerId">): FeedEvent => ({
  id: record.requestId,
  keyId: record.keyId,
  keyName: key.name,
  ownerId: key.ownerId,
  account: record.accountId,
  model: record.model,
  status: record.status,
  outcome: record.outcome,
  tokens: totalTokens(record.tokens),
  cost: record.cost,
  endedAt: record.endedAt,
  durationMs: record.endedAt - record.startedAt,
});

/** Who watches. */
export const watcherSchema = z.object({
  personId: personIdSchema,
  role: z.enum(ROLES),
  /** When the connection ends; whoever may still watch connects again. Epoch ms. */
  until: z.number(),
});
export type Watcher = Readonly<z.infer<typeof watcherSchema>>;

const feedEventSchema = z.object({
  id: requestIdSchema,
  keyId: keyIdSchema,
  keyName: z.string(),
  ownerId: z.string().nullable(),
  account: accountIdSchema.nullable(),
  model: z.string(),
  status: z.number(),
  outcome: z.string(),
  tokens: z.number(),
  cost: z.number(),
  endedAt: z.number(),
  durationMs: z.number(),
});

/** What comes over the socket, as JSON. */
export const feedMessageSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("requests"),
    items: z.array(feedEventSchema),
    /** So many more ended than could be shown. */
    left: z.number(),
  }),
  z.object({
    type: z.literal("metrics"),
    /** What the figures are of: a minute, or as long as somebody has watched. */
    windowMs: z.number(),
    requests: z.number(),
    failed: z.number(),
    tokens: z.number(),
    cost: z.number(),
    watchers: z.number(),
  }),
]);
export type FeedMessage = z.infer<typeof feedMessageSchema>;
