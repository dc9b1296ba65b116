/** What the admin API answers of notifications, as schemas. */
import { z } from "zod";
import { channelIdSchema, noticeIdSchema } from "../domain/ids.ts";
import { NOTICE_KINDS, SEVERITIES } from "../domain/notice.ts";
import {
  channelConfigSchema,
  type ChannelView,
  type DeadLetter,
  type Receipt,
} from "../domain/notification-channel.ts";

export const channelAnswer = channelConfigSchema
  .extend({ secrets: z.record(z.string(), z.string()), waiting: z.number() })
  .meta({ id: "Channel" }) satisfies z.ZodType<ChannelView>;
export const channelTypesAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      /** A JSON Schema. */
      settings: z.record(z.string(), z.unknown()),
      secrets: z.array(z.string()),
    }),
  ),
  events: z.array(z.enum(NOTICE_KINDS)),
  severities: z.array(z.enum(SEVERITIES)),
});
export const deadLetterAnswer = z
  .object({
    id: z.string(),
    noticeId: noticeIdSchema,
    channelId: channelIdSchema,
    kind: z.enum(NOTICE_KINDS),
    severity: z.enum(SEVERITIES),
    title: z.string(),
    at: z.number(),
    attempts: z.number(),
    lastTriedAt: z.number(),
    error: z.string(),
  })
  .meta({ id: "DeadLetter" }) satisfies z.ZodType<DeadLetter>;
export const receiptAnswer = z.object({
  ok: z.boolean(),
  status: z.number().nullable(),
  message: z.string(),
  retryAfterMs: z.number().nullable(),
}) satisfies z.ZodType<Receipt>;
