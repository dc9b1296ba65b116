/** Where notifications go: what an admin enters, and what is kept of it. Pure. */
import { z } from "zod";
import { channelIdSchema, type EpochMs, type NoticeId } from "./ids.ts";
import { NOTICE_KINDS, SEVERITIES, type NoticeKind, type Severity } from "./notice.ts";
import { nameSchema } from "./text.ts";

const fields = {
  name: nameSchema,
  enabled: z.boolean(),
  /** Kinds that are sent here; empty: all. */
  events: z.array(z.enum(NOTICE_KINDS)).max(NOTICE_KINDS.length),
  /** Severities that are sent here; empty: all. */
  severities: z.array(z.enum(SEVERITIES)).max(SEVERITIES.length),
} as const;

/** What the channel's type asks for; its own schema looks closer. */
const settings = z.record(z.string().max(100), z.unknown());

export const channelInputSchema = z.object({
  name: fields.name,
  type: z.string().min(1).max(40),
  enabled: fields.enabled.default(true),
  events: fields.events.default([]),
  severities: fields.severities.default([]),
  settings,
});

/** A change: what is absent stays as it is, of the settings each by itself. The type stays. */
export const channelPatchSchema = z.object({
  name: fields.name.optional(),
  enabled: fields.enabled.optional(),
  events: fields.events.optional(),
  severities: fields.severities.optional(),
  settings: settings.default({}),
});
export type ChannelPatch = z.infer<typeof channelPatchSchema>;

/** A channel without its secrets, which only the notifier's object has. */
export const channelConfigSchema = z.object({
  ...fields,
  id: channelIdSchema,
  type: z.string(),
  settings,
  createdAt: z.number(),
  updatedAt: z.number(),
});
export type ChannelConfig = Readonly<z.infer<typeof channelConfigSchema>>;

/** As the admin API shows it. */
export type ChannelView = ChannelConfig & {
  /** The secrets that are stored, masked. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Messages that wait to be sent, or to be sent again. */
  readonly waiting: number;
};

/** A message that was given up. */
export interface DeadLetter {
  readonly id: string;
  readonly noticeId: NoticeId;
  readonly channelId: z.infer<typeof channelIdSchema>;
  readonly kind: NoticeKind;
  readonly severity: Severity;
  readonly title: string;
  readonly at: EpochMs;
  readonly attempts: number;
  readonly lastTriedAt: EpochMs;
  /** What went wrong the last time. */
  readonly error: string;
}

/** How one attempt went. */
export interface Receipt {
  readonly ok: boolean;
  /** The receiver's HTTP status; null: none was heard, or it speaks no HTTP. */
  readonly status: number | null;
  /** What to tell people, without secrets. */
  readonly message: string;
  /** How long the receiver asks to be left alone, in ms; null: it did not say. */
  readonly retryAfterMs: number | null;
}

export const wants = (
  { enabled, events, severities }: Pick<ChannelConfig, "enabled" | "events" | "severities">,
  notice: { readonly kind: NoticeKind; readonly severity: Severity },
): boolean =>
  enabled &&
  (events.length === 0 || events.includes(notice.kind)) &&
  (severities.length === 0 || severities.includes(notice.severity));
