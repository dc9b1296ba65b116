/** What each kind of receiver looks at, as its documentation has it, and how it answers. */
import { createHmac } from "node:crypto";
import { z } from "zod";
import { ACCESS_TOKEN, SIGNING_SECRET, type ReceiverKind } from "./orders.ts";

export interface Incoming {
  /** Below the box, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export interface Rule {
  /** What is wrong with a message; null: nothing. */
  readonly problemWith: (message: Incoming) => string | null;
  readonly taken: { readonly status: number; readonly body: string };
  readonly refused: { readonly status: number; readonly body: string };
}

const SKEW_MS = 60_000;
const line = z.string().min(1);

const hmac = (key: string, text: string, encoding: "hex" | "base64") =>
  createHmac("sha256", key).update(text).digest(encoding);

const isNow = (ms: number) => Math.abs(Date.now() - ms) < SKEW_MS;

const shaped =
  (schema: z.ZodType) =>
  ({ text }: Incoming): string | null => {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? null : z.prettifyError(result.error);
  };

const json = (status: number, body: unknown) => ({ status, body: JSON.stringify(body) });

const webhookBody = z.strictObject({
  id: z.string().regex(/^ntc_/),
  kind: line,
  severity: line,
  title: line,
  lines: z.array(z.string()),
  at: z.iso.datetime(),
  subject: z.strictObject({ kind: line, id: line, name: line }).nullable(),
});

function webhookProblem(message: Incoming): string | null {
  const { headers, text } = message;
  const timestamp = headers["x-relay-timestamp"] ?? "";
  if (!isNow(Number(timestamp) * 1000)) return "the timestamp is not now";
  if (headers["x-relay-signature"] !== `sha256=${hmac(SIGNING_SECRET, `${timestamp}.${text}`, "hex")}`)
    return "wrong signature";
  const problem = shaped(webhookBody)(message);
  if (problem !== null) return problem;
  const { id } = webhookBody.parse(JSON.parse(text));
  return headers["x-relay-event-id"] === id ? null : "the header names another event";
}

const feishuBody = z.strictObject({
  timestamp: z.string(),
  sign: z.string(),
  msg_type: z.literal("interactive"),
  card: z.strictObject({
    header: z.strictObject({
      title: z.strictObject({ tag: z.literal("plain_text"), content: line }),
      template: z.enum(["blue", "yellow", "orange", "red"]),
    }),
    elements: z.array(
      z.strictObject({
        tag: z.literal("div"),
        text: z.strictObject({ tag: z.literal("plain_text"), content: line }),
      }),
    ),
  }),
});

function feishuProblem(message: Incoming): string | null {
  const problem = shaped(feishuBody)(message);
  if (problem !== null) return problem;
  const { timestamp, sign } = feishuBody.parse(JSON.parse(message.text));
  if (!isNow(Number(timestamp) * 1000)) return "the timestamp is not now";
  return sign === hmac(`${timestamp}\n${SIGNING_SECRET}`, "", "base64") ? null : "wrong signature";
}

const textMessage = (bytes: number) =>
  z.strictObject({
    msgtype: z.literal("text"),
    text: z.strictObject({
      content: line.refine((text) => new TextEncoder().encode(text).length <= bytes, "is too long"),
    }),
  });

function dingtalkProblem(message: Incoming): string | null {
  const query = new URL(message.path, "http://receiver").searchParams;
  const timestamp = query.get("timestamp") ?? "";
  if (!isNow(Number(timestamp))) return "the timestamp is not now";
  if (query.get("sign") !== hmac(SIGNING_SECRET, `${timestamp}\n${SIGNING_SECRET}`, "base64"))
    return "wrong signature";
  return shaped(textMessage(20_000))(message);
}

function telegramProblem(message: Incoming): string | null {
  if (!/^\/bot\d+:[\w-]+\/sendMessage$/.test(message.path)) return `there is no ${message.path}`;
  const schema = z.strictObject({
    chat_id: line,
    text: line.max(4096),
    link_preview_options: z.strictObject({ is_disabled: z.literal(true) }),
  });
  return shaped(schema)(message);
}

function ntfyProblem(message: Incoming): string | null {
  if (message.headers["authorization"] !== `Bearer ${ACCESS_TOKEN}`) return "wrong token";
  const schema = z.strictObject({
    topic: line,
    title: line,
    message: line.max(4096),
    priority: z.int().min(1).max(5),
    tags: z.array(line),
  });
  return message.path === "/" ? shaped(schema)(message) : `there is no ${message.path}`;
}

const slackBody = z.strictObject({
  text: line.max(40_000),
  unfurl_links: z.literal(false),
  unfurl_media: z.literal(false),
});

const discordBody = z.strictObject({
  embeds: z.tuple([
    z.strictObject({
      title: line.max(256),
      description: z.string().max(4096),
      color: z.int().min(0).max(0xffffff),
      timestamp: z.iso.datetime(),
    }),
  ]),
  allowed_mentions: z.strictObject({ parse: z.tuple([]) }),
});

const barkBody = z.strictObject({
  device_key: line,
  id: line,
  title: line,
  body: line,
  level: z.enum(["active", "timeSensitive", "passive", "critical"]),
  group: line,
});

/** Half of them hide a refusal in a 200. */
export const RULES: Readonly<Record<ReceiverKind, Rule>> = {
  webhook: { problemWith: webhookProblem, taken: json(204, ""), refused: json(500, { error: "refused" }) },
  slack: {
    problemWith: shaped(slackBody),
    taken: { status: 200, body: "ok" },
    refused: { status: 403, body: "invalid_token" },
  },
  discord: {
    problemWith: shaped(discordBody),
    taken: json(204, ""),
    refused: json(400, { message: "Invalid" }),
  },
  telegram: {
    problemWith: telegramProblem,
    taken: json(200, { ok: true, result: {} }),
    refused: json(200, { ok: false, error_code: 403, description: "Forbidden: bot was blocked" }),
  },
  feishu: {
    problemWith: feishuProblem,
    taken: json(200, { code: 0, msg: "success", data: {} }),
    refused: json(200, { code: 19021, msg: "sign match fail or timestamp is not within one hour" }),
  },
  dingtalk: {
    problemWith: dingtalkProblem,
    taken: json(200, { errcode: 0, errmsg: "ok" }),
    refused: json(200, { errcode: 310000, errmsg: "sign not match" }),
  },
  wecom: {
    problemWith: shaped(textMessage(2048)),
    taken: json(200, { errcode: 0, errmsg: "ok" }),
    refused: json(200, { errcode: 93000, errmsg: "invalid webhook url" }),
  },
  bark: {
    problemWith: (message) =>
      message.path === "/push" ? shaped(barkBody)(message) : `there is no ${message.path}`,
    taken: json(200, { code: 200, message: "success", timestamp: 1 }),
    refused: json(200, { code: 400, message: "failed to get device token" }),
  },
  ntfy: {
    problemWith: ntfyProblem,
    taken: json(200, { id: "x", event: "message" }),
    refused: json(401, { code: 40101, error: "unauthorized" }),
  },
};
