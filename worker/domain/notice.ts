/** What people are told without asking: its kinds, its form, and what keeps secrets and prompts out of it. Pure. */
import { z } from "zod";
import { noticeIdSchema, type EpochMs } from "./ids.ts";

export const NOTICE_KINDS = [
  /** The upstream closed the account, or wants to be paid: only a person can help. */
  "account_blocked",
  "account_unauthorized",
  "account_rate_limited",
  "account_refresh_failed",
  "account_proxy_failed",
  /** It serves again after one of these. */
  "account_recovered",
  /** Its subscription ends within days, or has ended. */
  "account_expiring",
  "account_expired",
  "key_near_budget",
  "key_exhausted",
  "key_expiring",
  "daily_summary",
  "system_error",
  /** Asked for by a person. */
  "test",
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

export const SEVERITIES = ["info", "warning", "error", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

const TITLE_LENGTH_MAX = 150;
const LINE_LENGTH_MAX = 300;
const LINES_MAX = 20;

const noticeDraftSchema = z.object({
  kind: z.enum(NOTICE_KINDS),
  severity: z.enum(SEVERITIES),
  title: z.string().min(1),
  lines: z.array(z.string()),
  at: z.number(),
  /** What it is about, for programs. */
  subject: z
    .object({ kind: z.enum(["account", "key", "person"]), id: z.string(), name: z.string() })
    .nullable(),
});
/** What has happened, in the words of the object that saw it. */
export type NoticeDraft = Readonly<z.infer<typeof noticeDraftSchema>>;

export const noticeSchema = noticeDraftSchema.extend({ id: noticeIdSchema });
export type Notice = Readonly<z.infer<typeof noticeSchema>>;

/** Something to tell, or to leave untold because it has just been told. */
export interface Signal {
  readonly notice: NoticeDraft;
  /** What is told once, and again an hour later at the soonest, unless it ended in between; null: always. */
  readonly topic: string | null;
  /** Topics that end with this. Where there are any, it is told only if one of them had been told. */
  readonly ends: readonly string[];
}

/** Control characters, and those that reorder or hide text (Unicode, "bidirectional formatting"). */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/gu;

/** One line, whatever it was before, cut to a length. */
export function cutLine(text: string, length: number): string {
  const line = text.replace(UNPRINTABLE, " ").trim();
  const characters = [...line.slice(0, 2 * length + 2)];
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join("")}…`;
}

/** What looks like a secret: signed tokens, keys with a known beginning, passwords in addresses, long random text. */
const SECRETS: readonly RegExp[] = [
  /(?<=:\/\/)[^\s/@]+@/g,
  /(?<=\b(?:bearer|basic)\s+)\S+/gi,
  /(?<=[?&](?:key|token|access_token|api_key|sign|signature|code)=)[^&\s]+/gi,
  /\b(?:sk|pk|cr|fk|gsk|xox[a-z]|ghp|ya29|AIza|AKIA|ASIA|ABSK)[-_.]?[\w.-]{8,}/g,
  /\beyJ[\w-]{8,}(?:\.[\w-]*)*/g,
  /(?=[\w+/=-]*\d)[\w+/=-]{24,}/g,
];

/** Text from an upstream as people may be shown it: nothing in it that looks like a secret, and no more than this. */
export const quoted = (text: string): string =>
  cutLine(
    SECRETS.reduce(
      (masked, secret) => masked.replace(secret, "[secret]"),
      text.slice(0, 4 * LINE_LENGTH_MAX),
    ),
    LINE_LENGTH_MAX,
  );

/** The draft as it may leave: short, and on single lines. */
export const bounded = (draft: NoticeDraft): NoticeDraft => ({
  ...draft,
  title: cutLine(draft.title, TITLE_LENGTH_MAX),
  lines: draft.lines.slice(0, LINES_MAX).map((line) => cutLine(line, LINE_LENGTH_MAX)),
});

/** An instant for people everywhere: to the minute, in UTC. */
export const timeText = (at: EpochMs): string =>
  new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/:\d\d\.\d{3}Z$/, " UTC");
